# lavaan on the data of the coverage study: Rscript benchmarks/coverage.R FOLDER OUT.json
# FOLDER is what `python -m benchmarks.coverage --data FOLDER` wrote: conditions.txt, truth.txt, model.txt and one
# binary file a kind of data. OUT.json is written anew after every condition.
suppressMessages(library(lavaan))
arg <- commandArgs(TRUE); folder <- arg[1]; out <- arg[2]
conditions <- read.delim(file.path(folder, "conditions.txt"), stringsAsFactors = FALSE)
known <- read.delim(file.path(folder, "truth.txt"), stringsAsFactors = FALSE)
truth <- setNames(known$value, trimws(known$name))
model <- paste(readLines(file.path(folder, "model.txt")), collapse = "\n")
num <- function(x) paste(ifelse(is.finite(x), formatC(x, digits = 9, format = "g"), "null"), collapse = ", ")
done <- character()
for (k in seq_len(nrow(conditions))) {
  one <- conditions[k, ]
  n <- one$replications
  all <- readBin(file.path(folder, paste0(one$kind, ".bin")), "double", n * one$nobs * 6, size = 8)
  all <- array(all, c(6, one$nobs, n))
  est <- se <- NULL; p <- rep(NA, n)
  for (i in seq_len(n)) {
    d <- as.data.frame(t(all[, , i])); names(d) <- paste0("x", 1:6)
    for (v in names(d)) d[[v]][is.nan(d[[v]])] <- NA
    fit <- suppressWarnings(tryCatch(
      if (one$ordered == 1) sem(model, d, ordered = names(d), estimator = "WLSMV", baseline = FALSE)
      else sem(model, d, estimator = toupper(one$estimator), missing = one$missing, baseline = FALSE),
      error = function(e) NULL))
    if (is.null(fit) || !lavInspect(fit, "converged")) next
    pe <- parameterEstimates(fit, ci = FALSE); pe <- pe[pe$se > 0 & is.finite(pe$se), ]
    key <- trimws(paste(pe$lhs, pe$op, pe$rhs))
    if (is.null(est)) { keys <- key; est <- se <- matrix(NA, n, length(keys)) }
    at <- match(keys, key)
    est[i, ] <- pe$est[at]; se[i, ] <- pe$se[at]
    tests <- lavInspect(fit, "test")
    p[i] <- tests[[if (one$estimator == "ml") 1 else 2]]$pvalue
  }
  inside <- abs(est - matrix(truth[keys], n, length(keys), byrow = TRUE)) <= qnorm(.975) * se
  first <- paste(sprintf("[%s]", apply(cbind(est, se)[1:10, ], 1, num)), collapse = ",\n")
  done[k] <- sprintf('{"name": "%s", "kind": "%s", "estimator": "%s", "used": %d, "keys": [%s],\n"coverage": [%s],\n"mean": [%s],\n"sd": [%s],\n"se": [%s],\n"rejected": %s,\n"first_p": [%s],\n"first": [%s]}',
    one$name, one$kind, one$estimator, sum(!is.na(p)), paste0('"', keys, '"', collapse = ", "),
    num(colMeans(inside, na.rm = TRUE)), num(colMeans(est, na.rm = TRUE)), num(apply(est, 2, sd, na.rm = TRUE)),
    num(colMeans(se, na.rm = TRUE)), num(mean(p < .05, na.rm = TRUE)), num(p[1:10]), first)
  cat(one$name, one$kind, mean(p < .05, na.rm = TRUE), "\n")
  cat(sprintf('{\n"package": "lavaan %s",\n"conditions": [\n%s\n]\n}\n', packageVersion("lavaan"),
    paste(done, collapse = ",\n")), file = out)
}
