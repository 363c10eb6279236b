# Numbers of R's survey package on survey_design.csv; run from the project folder: Rscript tests/golden/survey_regression.R
suppressMessages(library(survey)); source("tests/golden/json.R")
d <- read.csv("tests/golden/survey_design.csv")
out <- list(package=paste("survey", packageVersion("survey"), "R", getRversion()))
num <- function(x) unname(as.vector(x))
one <- function(des, formula=z ~ x*w + sex) {
  f <- svyglm(formula, des); m <- svymean(~z, des, na.rm=TRUE)
  deff <- tryCatch(num(attr(svymean(~z, des, deff="replace"), "deff")), error=function(e) NA)
  list(est=num(coef(f)), vcov=num(vcov(f)), df=f$df.residual, degf=degf(des), mean=num(m), mean_var=num(vcov(m)), deff=deff)
}
designs <- list(
  weights=svydesign(~1, weights=~weight, data=d),
  cluster=svydesign(~village, weights=~weight, data=d),
  strata=svydesign(~1, strata=~region, weights=~weight, data=d),
  both=svydesign(~village, strata=~region, weights=~weight, data=d),
  fpc=svydesign(~village, strata=~region, weights=~weight, fpc=~villages, data=d),
  unweighted=svydesign(~village, data=d, weights=rep(1, nrow(d))))
for (n in names(designs)) out$designs[[n]] <- one(designs[[n]])
# rows left out for a gap are a domain of the design, a whole village among them
out$gaps <- { f <- svyglm(z ~ x*w_gap + sex, designs$both); list(est=num(coef(f)), vcov=num(vcov(f)), df=f$df.residual) }
out$domain <- { f <- svyglm(z ~ x*w + age, subset(designs$fpc, sex == 1 & region != 3)); list(est=num(coef(f)), vcov=num(vcov(f)), df=f$df.residual) }
for (how in c("certainty", "adjust", "average")) {
  options(survey.lonely.psu=how)
  out$lone[[how]] <- num(vcov(svyglm(z ~ x*w + sex, svydesign(~village, strata=~zone, weights=~weight, data=d))))
}
options(survey.lonely.psu="fail")
# replicate weights: made by survey, stored beside the data
set.seed(7)
reps <- list(BRR=as.svrepdesign(designs$both, type="BRR"), Fay=as.svrepdesign(designs$both, type="Fay", fay.rho=0.3),
  JK1=as.svrepdesign(designs$cluster, type="JK1"), JKn=as.svrepdesign(designs$both, type="JKn"),
  bootstrap=as.svrepdesign(designs$both, type="subbootstrap", replicates=40))
W <- NULL
for (n in names(reps)) {
  w <- weights(reps[[n]], "analysis"); colnames(w) <- paste0(n, seq_len(ncol(w))); W <- cbind(W, w)
  made <- svrepdesign(weights=~weight, repweights=w, data=d, type=if (n == "bootstrap") "other" else n, combined.weights=TRUE,
    rho=if (n == "Fay") 0.3 else NULL, scale=reps[[n]]$scale, rscales=reps[[n]]$rscales)
  out$replicates[[n]] <- c(one(made), list(count=ncol(w), scale=made$scale, rscales=num(made$rscales)))
  made$mse <- TRUE
  out$replicates[[n]]$mse <- num(vcov(svyglm(z ~ x*w + sex, made)))
}
write.csv(round(W, 8), gzfile("tests/golden/survey_replicates.csv.gz"), row.names=FALSE)
# known margins
age <- data.frame(age=0:2, Freq=c(2000, 1500, 2500)); sex <- data.frame(sex=0:1, Freq=c(2800, 3200))
raked <- rake(designs$both, list(~sex, ~age), list(sex, age), control=list(maxit=200, epsilon=1e-12))
out$rake <- list(weights=num(weights(raked)))
cal <- calibrate(designs$both, ~factor(sex) + factor(age), c(6000, 3200, 1500, 2500), calfun="raking", epsilon=1e-12, maxit=200)
out$calibrated <- c(list(weights=num(weights(cal))), one(cal))
cells <- as.data.frame(xtabs(~sex + age, d)); cells$Freq <- c(900, 1100, 800, 700, 1200, 1300)
post <- postStratify(designs$both, ~sex + age, cells)
out$post <- c(list(weights=num(weights(post)), cells=num(cells$Freq)), one(post))
out$post$gaps <- { f <- svyglm(z ~ x*w_gap + sex, post); list(est=num(coef(f)), vcov=num(vcov(f))) }
rr <- rake(reps$JKn, list(~sex, ~age), list(sex, age), control=list(maxit=200, epsilon=1e-12))
out$raked_jkn <- num(vcov(svyglm(z ~ x*w + sex, rr)))
writeLines(json(out), "tests/golden/survey_regression.json")
