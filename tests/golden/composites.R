# Numbers of lavaan 0.6-14 for test_composites.py; run from the project folder: Rscript tests/golden/composites.R
# That version has no composites of this kind: one exogenous composite is a phantom variable, several are written in
# Henseler and Ogasawara's specification (weights 1, -a, a b from the loadings of the excrescent variables).
suppressMessages(library(lavaan))
tight <- list(iter.max = 20000, eval.max = 40000, rel.tol = 1e-14)
num <- function(x) paste(ifelse(is.finite(x), formatC(x, digits = 12, format = "g"), "null"), collapse = ", ")
d <- read.csv("tests/reference/data/HolzingerSwineford1939.csv"); gaps <- read.csv("tests/reference/data/HS_missing10.csv")
one <- "C =~ 0\nC ~ 1*x1 + w2*x2 + w3*x3\nC ~~ 0*C\nx4 ~ b1*C\nx5 ~ b2*C\nx4 ~~ x5"
several <- "
c1 =~ 1*x1 + start(.6)*x3 + start(.4)*x2\nu1 =~ start(-.25)*x1 + a1*x1 + 1*x3\nu2 =~ start(-.5)*x3 + p1*x3 + 1*x2\nu1 ~~ start(.5)*u2
c2 =~ 1*x4 + start(.9)*x6 + start(.9)*x5\nu3 =~ start(-1)*x4 + a2*x4 + 1*x6\nu4 =~ start(.2)*x6 + p2*x6 + 1*x5\nu3 ~~ start(.01)*u4
speed =~ 1*x7 + x8 + x9\nspeed ~ c1 + c2\nc1 ~~ start(.2)*c2
x1 ~~ 0*x1\nx2 ~~ 0*x2\nx3 ~~ 0*x3\nx4 ~~ 0*x4\nx5 ~~ 0*x5\nx6 ~~ 0*x6
u1 ~~ start(.9)*u1\nu2 ~~ start(1)*u2\nu3 ~~ start(.2)*u3\nu4 ~~ start(.7)*u4\nc1 ~~ start(1.2)*c1\nc2 ~~ start(1.1)*c2\nspeed ~~ start(.3)*speed\nx7 ~~ x7\nx8 ~~ x8\nx9 ~~ x9
w12 := -a1\nw13 := a1*p1\nw22 := -a2\nw23 := a2*p2"
chain <- sub("speed ~ c1 \\+ c2\nc1 ~~ start\\(.2\\)\\*c2", "c2 ~ c1\nspeed ~ c2", several)
write <- function(name, f, rows) {
  s <- standardizedSolution(f); p <- parameterEstimates(f)
  pick <- function(t, col) sapply(rows, function(r) { k <- if (length(r) == 1) which(t$label == r) else which(t$lhs == r[1] & t$op == r[2] & t$rhs == r[3]); t[k[1], col] })
  fm <- fitMeasures(f)
  keep <- intersect(c("chisq", "df", "pvalue", "cfi", "rmsea", "srmr", "logl", "chisq.scaled", "cfi.robust", "rmsea.robust"), names(fm))
  sprintf('"%s": {"est": [%s], "se": [%s], "std": [%s], "std_se": [%s], "fit": {%s}}', name, num(pick(p, "est")), num(pick(p, "se")),
    num(pick(s, "est.std")), num(pick(s, "se")), paste0('"', keep, '": ', sapply(fm[keep], num), collapse = ", "))
}
w <- c("w12", "w13", "w22", "w23"); to <- list(c("speed", "~", "c1"), c("speed", "~", "c2")); ch <- list(c("c2", "~", "c1"), c("speed", "~", "c2"))
start <- function(m, ...) lavaan(m, ..., auto.var = FALSE)
means <- paste0("\n", paste0("x", 1:9, " ~ 1", collapse = "\n"))
cat("{", paste(c(
  write("one", sem(one, d, control = tight, optim.force.converged = TRUE), list("w2", "w3", "b1", "b2")),
  write("several", start(several, d), c(as.list(w), to)),
  write("several_mlr", start(paste0(several, means), d, estimator = "MLR"), c(as.list(w), to)),
  write("several_fiml", start(paste0(several, means), gaps, missing = "ml", em.h1.tol = 1e-12, em.h1.iter.max = 5000), c(as.list(w), to)),
  write("chain", start(chain, d), c(as.list(w), ch))), collapse = ",\n"), "}\n", file = "tests/golden/composites.json")
