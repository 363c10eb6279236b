# Numbers of lavaan 0.6-14 on survey_design.csv; run from the project folder: Rscript tests/golden/survey_sem.R
suppressMessages(library(lavaan)); source("tests/golden/json.R")
d <- read.csv("tests/golden/survey_design.csv")
m <- "trust =~ y1 + y2 + y3\ngrowth =~ y4 + y5 + y6"
s <- "trust =~ y1 + y2 + y3\nz ~ trust + w + x"
g <- gsub("y([1-6])", "m\\1", m)
num <- function(x) unname(as.vector(x))
one <- function(model, ...) {
  # tighter than the default stop; the largest gradient is kept beside the numbers
  call <- function(...) suppressWarnings(sem(model, d, ..., estimator="MLR", optim.force.converged=TRUE))
  f <- call(..., control=list(rel.tol=1e-14, x.tol=1e-14, iter.max=10000))
  pe <- parameterEstimates(f)
  list(keys=paste(pe$lhs, pe$op, pe$rhs, if (is.null(pe$group)) 1 else pe$group, collapse="|"), est=num(pe$est), se=num(pe$se),
    fit=as.list(fitMeasures(f)), gradient=max(abs(lavTech(f, "gradient"))))
}
out <- list(package=paste("lavaan", packageVersion("lavaan")),
  clustered=one(m, cluster="village"),
  weighted=one(m, sampling.weights="weight"),
  both=one(m, sampling.weights="weight", cluster="village"),
  nested=one(m, cluster="village", group="urban", group.equal=c("loadings", "intercepts")),
  nested_weighted=one(m, cluster="village", group="urban", sampling.weights="weight", group.equal=c("loadings", "intercepts")),
  covariates=one(s, sampling.weights="weight", cluster="village", fixed.x=TRUE),
  crossing=one(m, cluster="village", group="sex", group.equal="loadings"),
  fiml_clustered=one(g, cluster="village", missing="ml"),
  fiml_weighted=tryCatch(one(g, sampling.weights="weight", missing="ml"), error=function(e) list(error=conditionMessage(e))),
  fiml_both=tryCatch(one(g, sampling.weights="weight", cluster="village", missing="ml"), error=function(e) list(error=conditionMessage(e))))
writeLines(json(out), "tests/golden/survey_sem.json")
