# Numbers of lavaan 0.6-14 for test_models.py; run from the project folder: Rscript tests/golden/models.R
suppressMessages(library(lavaan))
tight <- list(iter.max = 20000, eval.max = 40000, rel.tol = 1e-15, abs.tol = 0, x.tol = 1e-14)
read <- function(name) read.csv(file.path("tests/golden/data", name))
num <- function(x) paste(ifelse(is.finite(x), formatC(x, digits = 12, format = "g"), "null"), collapse = ", ")
text <- function(x) paste0('"', gsub("\n", "\\\\n", gsub('"', '\\\\"', x)), '"', collapse = ", ")
cases <- character(0)
case <- function(name, f, extra = "") {
  if (!lavInspect(f, "converged")) stop(name)
  pe <- parameterEstimates(f, remove.nonfree = FALSE, remove.eq = TRUE, remove.ineq = TRUE)
  if (is.null(pe$group)) pe$group <- 1
  fm <- fitMeasures(f)
  cases <<- c(cases, sprintf('"%s": {"keys": [%s], "est": [%s], "se": [%s], "fit": {%s}%s}', name,
    paste0('["', pe$lhs, '", "', pe$op, '", "', pe$rhs, '", ', ifelse(pe$op == ":=", 0, pe$group), ']', collapse = ", "),
    num(pe$est), num(pe$se), paste0('"', names(fm), '": ', sapply(fm, num), collapse = ", "), extra))
}
b <- read("bifactor.csv"); t <- read("growth.csv"); q <- read("groups.csv")
hs <- read.csv("tests/reference/data/HolzingerSwineford1939.csv"); gaps <- read.csv("tests/reference/data/HS_missing10.csv")

bifactor <- "g =~ b1+b2+b3+b4+b5+b6+b7+b8+b9\ns1 =~ b1+b2+b3\ns2 =~ b4+b5+b6\ns3 =~ b7+b8+b9"
case("bifactor", cfa(bifactor, b, std.lv = TRUE, orthogonal = TRUE, control = tight, optim.force.converged = TRUE))
case("bifactor_mlr", cfa(bifactor, b, std.lv = TRUE, orthogonal = TRUE, estimator = "MLR", control = tight, optim.force.converged = TRUE))

curve <- "i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4 + 1*t5\ns =~ 0*t1 + 1*t2 + 2*t3 + 3*t4 + 4*t5\ni + s ~ x"
case("growth_fiml", growth(curve, t, missing = "fiml", control = tight, optim.force.converged = TRUE))
case("growth_fiml_mlr", growth(curve, t, missing = "fiml", estimator = "MLR", control = tight, optim.force.converged = TRUE))
case("growth_listwise", growth(curve, t, control = tight, optim.force.converged = TRUE))

two <- "f1 =~ q1+q2+q3\nf2 =~ q4+q5+q6\nf2 ~ f1"
case("groups_fiml", sem(two, q, group = "g", missing = "fiml", group.equal = "loadings", control = tight, optim.force.converged = TRUE))
case("groups_fiml_mlr", sem(two, q, group = "g", missing = "fiml", estimator = "MLR",
  group.equal = c("loadings", "intercepts"), group.partial = c("q2~1", "f2=~q6"), control = tight, optim.force.converged = TRUE))
every <- c("loadings", "intercepts", "means", "residuals", "residual.covariances", "lv.variances", "lv.covariances", "regressions")
wide <- "f1 =~ q1+q2+q3\nf2 =~ q4+q5+q6\nf1 ~ f2 + z2\nq1 ~~ q4"
for (k in seq_along(every)) case(paste0("equal_", every[k]), sem(wide, q, group = "g", group.equal = every[k], control = tight, optim.force.converged = TRUE))
case("equal_all", sem(wide, q, group = "g", group.equal = every, control = tight, optim.force.converged = TRUE))
case("equal_lv", cfa("f1 =~ q1+q2+q3\nf2 =~ q4+q5+q6", q, group = "g", std.lv = TRUE, group.equal = c("loadings", "lv.covariances"), control = tight, optim.force.converged = TRUE))

mimic <- "f1 =~ q1+q2+q3\nf2 =~ q4+q5+q6\nf1 + f2 ~ z1 + z2\nq3 ~ z2"
case("mimic_groups", sem(mimic, q, group = "g", group.equal = c("loadings", "intercepts"), control = tight, optim.force.converged = TRUE))
case("modifiers_groups", sem("f1 =~ q1 + c(a, a)*q2 + c(b1, b2)*q3\nf1 ~ c(NA, 0.3)*z1 + c(e, e2)*z2\nd := b1 - b2", q, group = "g", control = tight, optim.force.converged = TRUE))
case("nonlinear", sem("f1 =~ q1 + a*q2 + b*q3\nf2 =~ q4 + c*q5 + d*q6\nf2 ~ e*f1\na*b == c\nexp(e) > 1\nd^2 + e == 1.2\nratio := log(a/b)", q, control = tight, optim.force.converged = TRUE))

case("effect_one", cfa("visual =~ x1+x2+x3\ntextual =~ x4+x5+x6", hs, effect.coding = TRUE, meanstructure = TRUE))
case("effect_groups", cfa("visual =~ x1+x2+x3\ntextual =~ x4+x5+x6", hs, effect.coding = TRUE, group = "school",
  group.equal = c("loadings", "intercepts")))
case("effect_loadings", cfa("visual =~ x1+x2+x3\ntextual =~ x4+x5+x6+x3", hs, effect.coding = "loadings"))
case("effect_second", sem("v =~ x1+x2+x3\nt =~ x4+x5+x6\ns =~ x7+x8+x9\ng =~ v+t+s", hs, effect.coding = TRUE, meanstructure = TRUE))

m <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
case("two_stage", cfa(m, gaps, missing = "two.stage", em.h1.tol = 1e-14, em.h1.iter.max = 5000, control = tight, optim.force.converged = TRUE))
case("robust_two_stage", cfa(m, gaps, missing = "robust.two.stage", em.h1.tol = 1e-14, em.h1.iter.max = 5000, control = tight, optim.force.converged = TRUE))
case("two_stage_independence", sem("x1 ~~ x1\nx2 ~~ x2\nx3 ~~ x3\nx4 ~~ x4\nx5 ~~ x5\nx6 ~~ x6\nx7 ~~ x7\nx8 ~~ x8\nx9 ~~ x9", gaps, missing = "two.stage", em.h1.tol = 1e-14, em.h1.iter.max = 5000))
case("two_stage_groups", sem(two, q, group = "g", missing = "robust.two.stage", group.equal = "loadings", em.h1.tol = 1e-14, em.h1.iter.max = 5000, control = tight, optim.force.converged = TRUE))
case("two_stage_x_free", sem("f1 =~ q1+q2+q3\nf2 =~ q4+q5+q6\nf1 ~ z1 + z2\nf2 ~ f1 + z1", q, missing = "two.stage", fixed.x = FALSE, em.h1.tol = 1e-14, em.h1.iter.max = 5000, control = tight, optim.force.converged = TRUE))
case("fiml_x", sem("f1 =~ q1+q2+q3\nf1 ~ z1m + z2\nq4 ~ f1", q, missing = "fiml.x", em.h1.tol = 1e-14, em.h1.iter.max = 5000, control = tight, optim.force.converged = TRUE))
case("fiml_x_mlr", sem("f1 =~ q1+q2+q3\nf1 ~ z1m + z2\nq4 ~ f1", q, missing = "fiml.x", em.h1.tol = 1e-14, em.h1.iter.max = 5000, estimator = "MLR", control = tight, optim.force.converged = TRUE))
saturated <- paste("aux1 ~~ aux2 + q1 + q2 + q3 + q4 + q5 + q6", "aux2 ~~ q1 + q2 + q3 + q4 + q5 + q6", sep = "\n")
case("auxiliary", sem(paste(two, saturated, sep = "\n"), q, missing = "fiml", control = tight, optim.force.converged = TRUE))
case("auxiliary_mlr", sem(paste(two, saturated, sep = "\n"), q, missing = "fiml", estimator = "MLR", control = tight, optim.force.converged = TRUE))
none <- paste("q1~~q1\nq2~~q2\nq3~~q3\nq4~~q4\nq5~~q5\nq6~~q6", saturated, sep = "\n")
case("auxiliary_baseline", sem(none, q, missing = "fiml", control = tight, optim.force.converged = TRUE))
case("auxiliary_baseline_mlr", sem(none, q, missing = "fiml", estimator = "MLR", control = tight, optim.force.converged = TRUE))

single <- "f =~ q1+q2+q3\nw =~ q4\nq4 ~~ 0.2*q4\nu =~ q5\nu ~ f + w"
case("single_indicators", sem(single, q, control = tight, optim.force.converged = TRUE))
case("phantom", sem("f =~ q1+q2+q3\nm =~ q4+q5+q6\np =~ 0\np ~~ 0*p\np ~ 0.5*f\nm ~ b*p\nhalf := b/2", q, control = tight, optim.force.converged = TRUE))
case("shared_single", sem("f =~ q1+q2+q3\nm =~ q4+q5+q6\np =~ q1\np ~~ 0.1*p\nf ~~ 0*p\nm ~~ 0*p", q, control = tight, optim.force.converged = TRUE))
hey <- hs[hs$id %% 4 == 0, ]
for (kind in c("standard", "wide", "pos.var")) {
  f <- cfa("v =~ x1 + x2\nt =~ x4+x5+x6\ns =~ x7+x8+x9", hey, bounds = kind, control = tight, optim.force.converged = TRUE); p <- parTable(f); p <- p[p$free > 0, ]
  case(paste0("bounds_", kind), f, sprintf(', "lower": [%s], "upper": [%s]', num(p$lower), num(p$upper)))
}
onx <- "f1 =~ q1+q2+q3\nf1 ~ z1 + z2\nq4 ~ f1 + z1\nq5 ~ q4 + z2"
case("conditional_x", sem(onx, q, conditional.x = TRUE, control = tight, optim.force.converged = TRUE))
case("conditional_x_mlr", sem(onx, q, conditional.x = TRUE, estimator = "MLR", control = tight, optim.force.converged = TRUE))
case("conditional_x_groups", sem(onx, q, conditional.x = TRUE, group = "g", group.equal = "loadings", control = tight, optim.force.converged = TRUE))
sc <- cfa(m, gaps, missing = "fiml", control = tight, optim.force.converged = TRUE)
p <- lavPredict(sc, se = "standard"); o <- lavPredict(sc, type = "ov")
full <- cfa(m, hs, control = tight, optim.force.converged = TRUE)
y <- lavPredictY(full, ynames = paste0("x", 7:9), xnames = paste0("x", 1:6))
rows <- function(x, n = 12) paste0("[", apply(as.matrix(x)[seq_len(n), , drop = FALSE], 1, num), "]", collapse = ", ")
cases <- c(cases, sprintf('"scores": {"lv": [%s], "se": [%s], "ov": [%s], "y": [%s]}', rows(p), rows(do.call(rbind, attr(p, "se"))), rows(o), rows(y)))
cat(sprintf('{"package": "lavaan %s",\n%s\n}\n', packageVersion("lavaan"), paste(cases, collapse = ",\n")), file = "tests/golden/models.json")
