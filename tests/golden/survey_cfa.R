# Design-based errors of a factor model put together in R: scores and information of lavaan 0.6-14, variances of survey 4.1.1;
# and lavaan fitted once under each replicate weight.  Run from the project folder: Rscript tests/golden/survey_cfa.R
suppressMessages({library(lavaan); library(survey)}); source("tests/golden/json.R")
d <- read.csv("tests/golden/survey_design.csv"); W <- read.csv(gzfile("tests/golden/survey_replicates.csv.gz"))
m <- "trust =~ y1 + y2 + y3\ngrowth =~ y4 + y5 + y6"
control <- list(rel.tol=1e-14, x.tol=1e-14, iter.max=10000)
fit <- function(data) suppressWarnings(cfa(m, data, estimator="MLR", meanstructure=TRUE, sampling.weights="weight", optim.force.converged=TRUE, control=control))
f <- fit(d)
scores <- lavScores(f); n <- nrow(d)
w <- d$weight / sum(d$weight) * n
if (max(abs(colSums(scores))) > 1e-3) scores <- scores * w   # whether scores carry the weights differs between versions
stopifnot(max(abs(colSums(scores))) < 1e-3)
bread <- solve(n * lavInspect(f, "information.observed"))
V <- function(des) bread %*% survey:::svyrecvar(scores, des$cluster, des$strata, des$fpc) %*% bread
out <- list(package=paste("lavaan", packageVersion("lavaan"), "survey", packageVersion("survey")),
  names=paste(names(coef(f)), collapse="|"), est=unname(as.vector(coef(f))))
designs <- list(strata=svydesign(~1, strata=~region, weights=~weight, data=d),
  both=svydesign(~village, strata=~region, weights=~weight, data=d),
  fpc=svydesign(~village, strata=~region, weights=~weight, fpc=~villages, data=d))
for (k in names(designs)) out$se[[k]] <- unname(sqrt(diag(V(designs[[k]]))))
cal <- calibrate(designs$both, ~factor(sex) + factor(age), c(6000, 3200, 1500, 2500), calfun="raking", epsilon=1e-12, maxit=200)
dc <- transform(d, weight=weights(cal)); fc <- fit(dc)
sc <- lavScores(fc); wc <- dc$weight / sum(dc$weight) * n
if (max(abs(colSums(sc))) > 1e-3) sc <- sc * wc
bc <- solve(n * lavInspect(fc, "information.observed"))
out$raked <- list(est=unname(as.vector(coef(fc))), se=unname(sqrt(diag(bc %*% survey:::svyrecvar(sc, cal$cluster, cal$strata, cal$fpc, postStrata=cal$postStrata) %*% bc))))
for (k in c("JKn", "Fay")) {
  columns <- grep(paste0("^", k, "[0-9]"), names(W), value=TRUE)
  theta <- t(sapply(columns, function(r) { dr <- transform(d, weight=W[[r]]); coef(fit(dr[dr$weight > 0, ])) }))
  made <- if (k == "JKn") list(1, rep(0.5, length(columns))) else list(1 / (length(columns) * 0.7^2), rep(1, length(columns)))
  out$replicates[[k]] <- unname(sqrt(diag(svrVar(theta, made[[1]], made[[2]], mse=FALSE, coef=coef(f)))))
}
writeLines(json(out), "tests/golden/survey_cfa.json")
