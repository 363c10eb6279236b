# Numbers of lavaan 0.6-14 for estimators and tests; run from the project folder: Rscript tests/golden/least_squares.R
suppressMessages(library(lavaan))
folder <- "tests/reference/data/"
hs <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
path <- "M1 ~ X + W\nM2 ~ M1 + X\nY ~ M2 + W"
pd <- "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + a*y2 + b*y3 + c*y4\ndem65 =~ y5 + a*y6 + b*y7 + c*y8\ndem60 ~ ind60\ndem65 ~ ind60 + dem60\ny1 ~~ y5\ny2 ~~ y4 + y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8"
tight <- list(rel.tol=1e-14, x.tol=1e-10)
num <- function(x) paste(ifelse(is.finite(x), formatC(x, digits=12, format="g"), "null"), collapse=", ")
txt <- function(x) paste0('"', gsub("\n", "\\\\n", x), '"')
val <- function(x) { y <- if (is.logical(x)) tolower(as.character(x)) else txt(x); if (length(y) > 1) paste0("[", paste(y, collapse=", "), "]") else y }
case <- function(name, model, data, ...) {
  args <- list(...)
  f <- suppressWarnings(do.call("cfa", c(list(model=model, data=read.csv(paste0(folder, data)), optim.force.converged=TRUE), if (identical(args$estimator, "WLS")) NULL else list(control=tight), args)))
  pe <- parameterEstimates(f); pe <- pe[pe$op != ":=" & pe$op != "==",]
  fm <- fitMeasures(f)
  tests <- sapply(lavInspect(f, "test"), function(t) paste0(txt(t$test), ': {"stat": ', num(t$stat), ', "df": ', num(t$df),
    if (!is.null(t$trace.UGamma)) paste0(', "trace": ', num(t$trace.UGamma)), if (length(t$trace.UGamma2) && is.finite(t$trace.UGamma2)) paste0(', "trace2": ', num(t$trace.UGamma2)), "}"))
  paste0("{", txt("name"), ": ", txt(name), ', "model": ', txt(model), ', "data": ', txt(data), ', "args": {', paste(sapply(names(args), function(n) paste0(txt(n), ": ", val(args[[n]]))), collapse=", "),
    '},\n "keys": [', paste(txt(paste(pe$lhs, pe$op, pe$rhs)), collapse=", "), '],\n "est": [', num(pe$est), '],\n "se": [', num(pe$se), '],\n "tests": {', paste(tests, collapse=", "),
    '},\n "fit": {', paste0('"', names(fm), '": ', sapply(fm, num), collapse=", "), "}}")
}
H <- "HolzingerSwineford1939.csv"; P <- "path_sim.csv"; D <- "PoliticalDemocracy.csv"
ge <- c("loadings", "intercepts")
browne <- c("browne.residual.nt", "browne.residual.nt.model", "browne.residual.adf", "browne.residual.adf.model")
out <- c(
  case("hs mlmvs", hs, H, estimator="MLMVS"),
  case("hs gls means", hs, H, estimator="GLS", meanstructure=TRUE),
  case("hs wls means", hs, H, estimator="WLS", meanstructure=TRUE),
  case("hs mlm observed", hs, H, estimator="MLM", information="observed", se="standard"),
  case("school mlm", hs, H, estimator="MLM", group="school", group.equal=ge),
  case("school mlmv", hs, H, estimator="MLMV", group="school", group.equal=ge),
  case("school mlmvs", hs, H, estimator="MLMVS", group="school", group.equal=ge),
  case("school gls", hs, H, estimator="GLS", group="school", group.equal=ge),
  case("school wls", hs, H, estimator="WLS", group="school", group.equal=ge),
  case("school mlf", hs, H, estimator="MLF", group="school", group.equal=ge),
  case("school browne", hs, H, group="school", group.equal=ge, test=browne),
  case("school gls metric", hs, H, estimator="GLS", group="school", group.equal="loadings"),
  case("path mlm", path, P, estimator="MLM"),
  case("path mlm means", path, P, estimator="MLM", meanstructure=TRUE),
  case("path mlmv", path, P, estimator="MLMV"),
  case("path mlmvs", path, P, estimator="MLMVS"),
  case("path mlm random", path, P, estimator="MLM", fixed.x=FALSE),
  case("path gls", path, P, estimator="GLS"),
  case("path wls", path, P, estimator="WLS"),
  case("path wls means", path, P, estimator="WLS", meanstructure=TRUE),
  case("path browne", path, P, test=c("browne.residual.nt", "browne.residual.adf")),
  case("hs ulsm", hs, H, estimator="ULSM"),
  case("hs ulsmv", hs, H, estimator="ULSMV"),
  case("school ulsmvs", hs, H, estimator="ULSMVS", group="school", group.equal=ge),
  case("hs gls adf", hs, H, estimator="GLS", test=c("standard", "browne.residual.adf", "browne.residual.nt.model")),
  case("given mlm", path, P, estimator="MLM", conditional.x=TRUE),
  case("given mlmv", path, P, estimator="MLMV", conditional.x=TRUE),
  case("given mlr", path, P, estimator="MLR", conditional.x=TRUE),
  case("given browne", path, P, conditional.x=TRUE, test=c("browne.residual.nt", "browne.residual.adf")),
  case("hs wishart", hs, H, likelihood="wishart", test="satorra.bentler"),
  case("second mlmv", paste0(hs, "\ng =~ visual + textual + speed"), H, estimator="MLMV"),
  case("mimic mlmv", paste0(hs, "\nvisual + textual ~ sex + ageyr"), H, estimator="MLMV"),
  case("mimic gls", "visual =~ x1 + x2 + x3\nvisual ~ sex + ageyr", H, estimator="GLS"),
  case("nonlinear mlm", "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + c*x5 + x6\na == b*c", H, estimator="MLM"),
  case("hs mlr expected", hs, H, estimator="MLR", information="expected"),
  case("gaps mlf", hs, "HS_missing10.csv", estimator="MLF", missing="ml"),
  case("pd gls equal", pd, D, estimator="GLS"),
  case("pd mlm equal", pd, D, estimator="MLM"),
  case("pd mlmv equal", pd, D, estimator="MLMV", meanstructure=TRUE))
cat('{"package": "lavaan ', as.character(packageVersion("lavaan")), '", "cases": [\n', paste(out, collapse=",\n"), "\n]}\n", file="tests/golden/least_squares.json", sep="")

# after the fit
fits <- function(...) lapply(list(NULL, "loadings", c("loadings", "intercepts")), function(g) suppressWarnings(do.call("cfa", c(list(model=hs, data=read.csv(paste0(folder, H)), group="school", control=tight, optim.force.converged=TRUE, ...), if (is.null(g)) list() else list(group.equal=g)))))
# the restriction's exact derivatives where lavaan finds them: equal loadings (latent means are no restriction of parameters by name)
lrt <- function(name, method, ...) { f <- fits(...); t <- lavTestLRT(f[[1]], f[[2]], f[[3]], method=method[[1]], scaled.shifted=method[[2]])
  e <- lavTestLRT(f[[1]], f[[2]], method=method[[1]], scaled.shifted=method[[2]], A.method="exact"); for (k in c("Chisq diff", "Pr(>Chisq)")) t[[k]][2] <- e[[k]][2]
  paste0("{", txt("name"), ": ", txt(name), ', "estimator": ', txt(list(...)$estimator), ', "diff": [', num(t[["Chisq diff"]][-1]), '], "df": [', num(t[["Df diff"]][-1]), '], "pvalue": [', num(t[["Pr(>Chisq)"]][-1]), "]}") }
misfit <- function(e) { f <- cfa(hs, read.csv(paste0(folder, H)), estimator=e, control=if (e == "WLS") list() else tight, optim.force.converged=TRUE)
  mi <- modindices(f); mi <- head(mi[order(-mi$mi),], 8)
  paste0("{", txt("estimator"), ": ", txt(e), ', "rows": [', paste(txt(paste(mi$lhs, mi$op, mi$rhs)), collapse=", "), '], "mi": [', num(mi$mi), '], "epc": [', num(mi$epc),
    '], "normalized": [', num(residuals(f, type="normalized")$cov[1:4, 1:4]), '], "standardized": [', num(residuals(f, type="standardized")$cov[1:4, 1:4]), "]}") }
s <- lavTestScore(fits(estimator="GLS")[[3]])
cat('{"package": "lavaan ', as.character(packageVersion("lavaan")), '",\n"misfit": [\n', paste(sapply(c("GLS", "WLS"), misfit), collapse=",\n"), '],\n"score": {"total": ', num(s$test$X2), ', "each": [', num(s$uni$X2), ']},\n"difference": [\n', paste(c(
  lrt("satorra.2000", list("satorra.2000", TRUE), estimator="MLM"), lrt("satorra.2000.mean", list("satorra.2000", FALSE), estimator="MLM"),
  lrt("auto", list("default", TRUE), estimator="MLMV"), lrt("auto", list("default", TRUE), estimator="MLM"), lrt("auto", list("default", TRUE), estimator="GLS")), collapse=",\n"), "]}\n", file="tests/golden/least_squares_after.json", sep="")
