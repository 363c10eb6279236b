# Numbers of lavaan 0.6-14 for tests/interaction/test_two_steps.py; run from the project folder:
# Rscript tests/golden/sam_groups.R
# That version's sam() ignores labels of the structural part and residual covariances between blocks: the first are
# fitted by sem() to its moments of the latent variables, the second needs mm.list.
suppressMessages(library(lavaan))
source("tests/golden/json.R")
hs <- read.csv("tests/reference/data/HolzingerSwineford1939.csv")
nine <- "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9; "
free <- paste0(nine, "speed ~ visual + textual; ")
path <- "speed ~ c(a, a)*visual + c(b1, b2)*textual"
labels <- paste0(nine, path)
joint <- paste0(free, "x3 ~~ x5; ")
rows <- function(f) { p <- parameterEstimates(f); p <- p[p$op %in% c("~", "~~"), ]
  setNames(lapply(seq_len(nrow(p)), function(i) c(p$est[i], p$se[i])), paste(p$lhs, p$op, p$rhs, p$group)) }
ask <- function(model, ...) rows(sam(model, hs, group = "school", sam.method = "local", ...))
found <- sam(free, hs, group = "school", sam.method = "local", output = "list")
moments <- sem(path, sample.cov = found$VETA, sample.nobs = c(156, 145), fixed.x = FALSE, meanstructure = FALSE,
               sample.cov.rescale = FALSE, group.label = names(found$VETA))
cat(json(list(
  package = paste("lavaan", packageVersion("lavaan")),
  models = list(free = free, loadings = free, labels = labels, joint = joint),
  free = ask(free), loadings = ask(free, group.equal = "loadings"), labels = rows(moments), joint = ask(joint, mm.list = list(c("visual", "textual"), "speed")))),
  file = "tests/golden/sam_groups.json")
