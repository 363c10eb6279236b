# Numbers of lavaan 0.6-14 for test_after_gaps.py; run from the project folder: Rscript tests/golden/after_gaps.R
suppressMessages(library(lavaan))
source("tests/golden/json.R")
gaps <- read.csv("tests/reference/data/HS_missing10.csv")
hs <- read.csv("tests/reference/data/HolzingerSwineford1939.csv")
groups <- read.csv("tests/golden/data/groups.csv")
indices <- function(f) {
  m <- modindices(f); if (is.null(m$group)) m$group <- 1
  setNames(lapply(seq_len(nrow(m)), function(i) c(m$mi[i], m$epc[i], m$sepc.all[i])), paste(m$lhs, m$op, m$rhs, m$group))
}
equalities <- function(f) { s <- suppressWarnings(lavTestScore(f)); c(s$uni$X2, s$test$X2) }
nine <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
shared <- "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + a*x5 + b*x6"
two <- "f1 =~ q1+q2+q3\nf2 =~ q4+q5+q6\nf2 ~ f1 + z1"
plain <- cfa(nine, gaps, missing = "fiml")
robust <- cfa(nine, gaps, missing = "fiml", estimator = "MLR")
equal <- cfa(shared, gaps, missing = "fiml")
apart <- sem(two, groups, group = "g", missing = "fiml", group.equal = "loadings")
mimic <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nvisual ~ ageyr + sex\ntextual ~ visual + sex\nx3 ~ sex"
seen <- sem(mimic, hs)
rows <- function(x) setNames(lapply(1:12, function(i) as.numeric(x[i, ])), 1:12)
cat(json(list(
  package = paste("lavaan", packageVersion("lavaan")),
  indices = list(plain = indices(plain), robust = indices(robust), groups = indices(apart)),
  equalities = list(one = equalities(equal), groups = equalities(apart)),
  scores = list(regression = rows(lavPredict(seen)), bartlett = rows(lavPredict(seen, method = "Bartlett"))))),
  file = "tests/golden/after_gaps.json")
