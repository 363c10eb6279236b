# lavaan on the hard small samples: Rscript benchmarks/convergence.R FOLDER OUT.json
# FOLDER is what `python -m benchmarks.convergence --data FOLDER` wrote: one binary file a cell, and its model.
suppressMessages(library(lavaan))
arg <- commandArgs(TRUE); folder <- arg[1]; out <- arg[2]
num <- function(x) ifelse(is.finite(x), formatC(x, digits = 9, format = "g"), "null")
cells <- list()
for (k in 0:3) {
  size <- scan(file.path(folder, sprintf("cell%d.size", k)), quiet = TRUE)
  model <- paste(readLines(file.path(folder, sprintf("cell%d.model", k))), collapse = "\n")
  all <- readBin(file.path(folder, sprintf("cell%d.bin", k)), "double", prod(size), size = 8)
  all <- array(all, rev(size))
  rows <- character(size[1])
  for (i in seq_len(size[1])) {
    d <- as.data.frame(t(all[, , i])); names(d) <- paste0("x", seq_len(size[3]))
    said <- character()
    fit <- withCallingHandlers(
      tryCatch(cfa(model, d), error = function(e) NULL),
      warning = function(w) { said <<- c(said, conditionMessage(w)); invokeRestart("muffleWarning") })
    if (is.null(fit)) { rows[i] <- "[0, 0, null, null]"; next }
    ok <- lavInspect(fit, "converged")
    proper <- ok && suppressWarnings(lavInspect(fit, "post.check"))
    chisq <- if (ok) unname(fitMeasures(fit, "chisq")) else NA
    # how many parameters have a standard error
    se <- sum(is.finite(parameterEstimates(fit, ci = FALSE)$se))
    rows[i] <- sprintf("[%d, %d, %s, %d]", as.integer(ok), as.integer(proper), num(chisq), se)
  }
  cells[[k + 1]] <- sprintf("[%s]", paste(rows, collapse = ", "))
}
cat(sprintf('{\n"package": "lavaan %s",\n"columns": ["converged", "proper", "chisq", "errors"],\n"cells": [\n%s\n]\n}\n',
  packageVersion("lavaan"), paste(unlist(cells), collapse = ",\n")), file = out)
