# Residuals over their errors by lavaan 0.6-14: fixed covariates, full information; run from the project folder:
# Rscript tests/golden/residual_errors.R
suppressMessages(library(lavaan)); source("tests/golden/json.R"); options(warn=-1)
tight <- list(iter.max = 20000, eval.max = 40000, rel.tol = 1e-15, abs.tol = 0, x.tol = 1e-14)
whole <- read.csv("tests/reference/data/HolzingerSwineford1939.csv"); gaps <- read.csv("tests/reference/data/HS_missing10.csv")
cfa3 <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
mimic <- paste0(cfa3, "\ntextual ~ visual + ageyr\nspeed ~ visual + ageyr\nvisual ~ agemo")
out <- list(package=paste("lavaan", packageVersion("lavaan")))
case <- function(name, f) { for (t in c("normalized", "standardized")) { r <- as.matrix(unclass(residuals(f, type=t)$cov))
  out[[name]][[t]] <<- unname(r[lower.tri(r, diag=TRUE)]) } }
one <- function(...) sem(..., control=tight, optim.force.converged=TRUE)
fiml <- function(...) one(..., missing="ml", em.h1.tol=1e-14, em.h1.iter.max=10000)
case("mimic", one(mimic, whole)); case("mimic_means", one(mimic, whole, meanstructure=TRUE))
case("mimic_mlm", one(mimic, whole, estimator="MLM"))
case("gaps", fiml(cfa3, gaps)); case("gaps_expected", fiml(cfa3, gaps, information="expected"))
case("gaps_mlr", fiml(cfa3, gaps, estimator="MLR")); case("gaps_mimic", fiml(mimic, gaps))
writeLines(json(out), "tests/golden/residual_errors.json")
