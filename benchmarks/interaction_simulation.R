# lavaan's product indicators on the samples of the interaction study:
#   Rscript benchmarks/interaction_simulation.R FOLDER OUT.json
# FOLDER is what `python -m benchmarks.interaction_simulation --data FOLDER` wrote. Products are double mean centred and
# matched by order, as semkit's are by default; ml errors are of the observed information, robust ones of estimator MLR.
suppressMessages(library(lavaan))
arg <- commandArgs(TRUE); folder <- arg[1]; out <- arg[2]
replications <- 1000; names9 <- c(paste0("x", 1:3), paste0("z", 1:3), paste0("y", 1:3))
model <- "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nY =~ y1 + y2 + y3\nXZ =~ p1 + p2 + p3\nY ~ X + Z + XZ"
num <- function(x) formatC(x, digits = 9, format = "g")
row <- function(name, est, se, effect) {
  low <- est - qnorm(.975) * se; high <- est + qnorm(.975) * se; k <- is.finite(se); n <- sum(k)
  sd <- sqrt(mean((est[k] - mean(est[k]))^2))
  sprintf('"%s": {"used": %d, "bias": %s, "bias_error": %s, "sd": %s, "se": %s, "coverage": %s, "rejected": %s}', name, n,
    num(mean(est[k]) - effect), num(sd / sqrt(n)), num(sd), num(median(se[k])),
    num(mean((low <= effect & effect <= high)[k])), num(mean((low > 0 | high < 0)[k])))
}
centred <- function(v) v - mean(v)
done <- character()
for (n in c(150, 300, 500)) for (shape in c("normal", "skewed")) for (effect in c(0, 20)) {
  cell <- sprintf("%d_%s_%d", n, shape, effect)
  all <- array(readBin(file.path(folder, paste0(cell, ".bin")), "double", replications * n * 9, size = 8), c(9, n, replications))
  est <- ml <- robust <- rep(NA, replications)
  for (i in seq_len(replications)) {
    d <- as.data.frame(t(all[, , i])); names(d) <- names9
    for (j in 1:3) d[[paste0("p", j)]] <- centred(centred(d[[paste0("x", j)]]) * centred(d[[paste0("z", j)]]))
    fit <- suppressWarnings(tryCatch(sem(model, d, estimator = "MLR", baseline = FALSE, test = "none"), error = function(e) NULL))
    if (is.null(fit) || !lavInspect(fit, "converged")) next
    pe <- parTable(fit); k <- pe$free[pe$lhs == "Y" & pe$op == "~" & pe$rhs == "XZ"]
    information <- tryCatch(lavInspect(fit, "inverted.information.observed"), error = function(e) NULL)
    if (is.null(information)) next
    est[i] <- coef(fit)[k]; ml[i] <- suppressWarnings(sqrt(information[k, k] / n)); robust[i] <- sqrt(vcov(fit)[k, k])
  }
  done <- c(done, sprintf('"%s": {%s,\n%s}', cell, row("product, ml", est, ml, effect / 100), row("product, robust", est, robust, effect / 100)))
  cat(cell, mean(is.finite(est)), "\n")
  cat(sprintf('{\n"package": "lavaan %s",\n"cells": {\n%s\n}\n}\n', packageVersion("lavaan"), paste(done, collapse = ",\n")), file = out)
}
