# Regressions in groups whose clusters cross them, by R's survey package; run from the project folder: Rscript tests/golden/survey_groups.R
suppressMessages(library(survey)); source("tests/golden/json.R")
d <- read.csv("tests/golden/survey_design.csv")
num <- function(x) unname(as.vector(x))
designs <- list(
  cluster=svydesign(~village, weights=~weight, data=d),
  both=svydesign(~village, strata=~region, weights=~weight, data=d),
  fpc=svydesign(~village, strata=~region, weights=~weight, fpc=~villages, data=d))
out <- list(package=paste("survey", packageVersion("survey"), "R", getRversion()))
# intercept and slopes of each sex: no common terms
for (n in names(designs)) {
  f <- svyglm(z ~ 0 + factor(sex) + factor(sex):x + factor(sex):w, designs[[n]])
  out$designs[[n]] <- list(names=names(coef(f)), est=num(coef(f)), vcov=num(vcov(f)))
}
out$designs <- lapply(out$designs, function(x) x[c("est", "vcov")])
writeLines(json(out), "tests/golden/survey_groups.json")
