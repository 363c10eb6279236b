# Ordinal items under a sampling design: R's survey (thresholds, ordered probit) and lavaan 0.6-14 (weights alone).
# Run from the project folder: Rscript tests/golden/survey_ordinal.R
suppressMessages({library(survey); library(lavaan)}); source("tests/golden/json.R")
num <- function(x) unname(as.vector(x))
d <- read.csv("tests/golden/survey_design.csv")
for (k in 1:6) d[[paste0("o", k)]] <- findInterval(d[[paste0("y", k)]], c(-0.8, 0.1, 0.9))
for (k in 1:6) d[[paste0("g", k)]] <- findInterval(d[[paste0("m", k)]], c(-0.8, 0.1, 0.9))
for (k in 1:3) for (t in 1:3) d[[paste0("b", k, t)]] <- as.numeric(d[[paste0("o", k)]] < t)
items <- as.formula(paste("~", paste0("b", rep(1:3, each=3), 1:3, collapse=" + ")))
out <- list(package=paste("survey", packageVersion("survey"), "lavaan", packageVersion("lavaan"), "R", getRversion()))
both <- svydesign(~village, strata=~region, weights=~weight, data=d)
age <- data.frame(age=0:2, Freq=c(2000, 1500, 2500)); sex <- data.frame(sex=0:1, Freq=c(2800, 3200))
designs <- list(
  weights=svydesign(~1, weights=~weight, data=d),
  cluster=svydesign(~village, weights=~weight, data=d),
  strata=svydesign(~1, strata=~region, weights=~weight, data=d),
  both=both,
  fpc=svydesign(~village, strata=~region, weights=~weight, fpc=~villages, data=d),
  calibrated=calibrate(both, ~factor(sex) + factor(age), c(6000, 3200, 1500, 2500), calfun="raking", epsilon=1e-12, maxit=200))
thresholds <- function(des) { # delta method: qnorm of the cumulated proportions
  m <- svymean(items, des); tau <- qnorm(num(m)); s <- 1 / dnorm(tau)
  list(est=tau, vcov=num(vcov(m) * outer(s, s)))
}
for (n in names(designs)) out$thresholds[[n]] <- thresholds(designs[[n]])
W <- read.csv(gzfile("tests/golden/survey_replicates.csv.gz"))
for (n in c("BRR", "Fay", "JK1", "bootstrap")) {
  w <- W[, grepl(paste0("^", n, "[0-9]+$"), names(W))]
  args <- list(weights=~weight, repweights=as.matrix(w), data=d, combined.weights=TRUE,
    type=if (n == "bootstrap") "other" else n, scale=if (n == "bootstrap") 1 / (ncol(w) - 1) else if (n == "JK1") (ncol(w) - 1) / ncol(w))
  if (n == "Fay") args$rho <- 0.3
  if (n == "bootstrap") args$rscales <- rep(1, ncol(w))
  made <- do.call(svrepdesign, args)
  found <- withReplicates(made, function(w, data) qnorm(colSums(w * as.matrix(data[, all.vars(items)])) / sum(w)))
  out$replicates[[n]] <- list(count=ncol(w), est=num(coef(found)), vcov=num(vcov(found)))
}
f <- svyolr(factor(o1) ~ x + w, both, method="probit", control=list(reltol=1e-14, maxit=1000))
out$probit <- list(slopes=num(f$coefficients), thresholds=num(f$zeta), se=num(sqrt(diag(vcov(f)))))
# lavaan: two-step moments and their asymptotic covariance matrix under weights alone, and the fits
names_o <- paste0("o", 1:6)
m <- "trust =~ o1 + o2 + o3\ngrowth =~ o4 + o5 + o6"
mixed <- "trust =~ o1 + o2 + y3\ngrowth =~ y4 + o5 + o6"
one <- function(model, ordered, ...) {
  f <- suppressWarnings(cfa(model, d, ordered=ordered, sampling.weights="weight", ..., control=list(rel.tol=1e-12, x.tol=1e-10, iter.max=5000), optim.force.converged=TRUE))
  pe <- parameterEstimates(f)
  list(keys=paste(pe$lhs, pe$op, pe$rhs, if (is.null(pe$group)) 1 else pe$group, collapse="|"), est=num(pe$est), se=num(pe$se),
    wls=num(unlist(lavTech(f, "wls.obs"))), gamma=num(lavTech(f, "gamma")[[1]]), fit=as.list(fitMeasures(f)))
}
out$lavaan <- list(
  ordinal=one(m, names_o), theta=one(m, names_o, parameterization="theta"),
  pairwise=one(gsub("o", "g", gsub("growth", "rise", m)), paste0("g", 1:6), missing="pairwise"),
  mixed=one(mixed, c("o1", "o2", "o5", "o6")),
  groups=one(m, names_o, group="urban"))
writeLines(json(out), "tests/golden/survey_ordinal.json")
