# Times lavaan on the jobs of benchmarks/peers.py: Rscript benchmarks/lavaan.R DATA_FOLDER OUT.csv [repeats]
# A whole call is the fit with its tests, the table of estimates with both standardised solutions, the fit measures, the
# standardised solution with errors and R2: what semkit's whole call makes.
suppressPackageStartupMessages(library(lavaan))
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]
repeats <- if (length(arguments) > 2) as.integer(arguments[3]) else 7L
read <- function(name) read.csv(file.path(folder, name))

children <- "visual =~ x1 + x2 + x3\n textual =~ x4 + x5 + x6\n speed =~ x7 + x8 + x9"
moderated <- "
  X =~ x1 + x2 + x3
  Z =~ z1 + z2 + z3
  M =~ m1 + m2 + m3
  Y =~ y1 + y2 + y3
  XZ =~ x1z1 + x2z2 + x3z3
  M ~ a1*X + a2*Z + a3*XZ
  Y ~ b*M + cp*X
  imm := a3*b
  ind_lo := (a1 - a3)*b
  ind_hi := (a1 + a3)*b"

whole <- function(fit) {
  parameterEstimates(fit, standardized = TRUE)
  fitMeasures(fit)
  standardizedSolution(fit)
  inspect(fit, "r2")
  invisible(fit)
}
blocks <- function(data, size) {
  names <- names(data)
  paste(sapply(seq_len(length(names) / size), function(j)
    paste0("f", j, " =~ ", paste(names[(j - 1) * size + seq_len(size)], collapse = " + "))), collapse = "\n")
}
clock <- function(job) { # processor seconds, as on the other side: other programs do not disturb them
  job()
  times <- sapply(seq_len(repeats), function(k) sum(system.time(job(), gcFirst = TRUE)[1:2]))
  median(times)
}

school <- read("HolzingerSwineford1939.csv")
gaps <- read("HS_missing10.csv")
five <- read("HS_ordinal5.csv")
large <- read("cfa20x5_n1000.csv")
twenty <- read("ordinal20_n500.csv")
product <- read("modsem12_n400.csv")
for (k in 1:3) {
  p <- (product[[paste0("x", k)]] - mean(product[[paste0("x", k)]])) *
    (product[[paste0("z", k)]] - mean(product[[paste0("z", k)]]))
  product[[paste0("x", k, "z", k)]] <- p - mean(p)
}

ladder <- function() {
  steps <- list("none", "loadings", c("loadings", "intercepts"), c("loadings", "intercepts", "residuals"))
  fits <- lapply(steps, function(equal) cfa(children, school, group = "school", group.equal = equal))
  lapply(fits, fitMeasures)
  do.call(lavTestLRT, fits)
}
jobs <- list(
  hs_cfa = function() whole(cfa(children, school)),
  cfa_20x5 = function() whole(cfa(blocks(large, 5), large)),
  hs_fiml = function() whole(cfa(children, gaps, missing = "fiml")),
  hs_wlsmv = function() whole(cfa(children, five, ordered = paste0("x", 1:9))),
  wlsmv_20 = function() whole(cfa(blocks(twenty, 5), twenty, ordered = names(twenty))),
  ladder = ladder
)
out <- data.frame(job = names(jobs), milliseconds = 1000 * sapply(jobs, clock))
draws <- 20L # lavaan refits draw by draw: the time of 1,000 is fifty times that of 20
fit <- sem(moderated, product)
out <- rbind(out, data.frame(job = "bootstrap_1000", milliseconds = 1000 * (1000 / draws) *
  clock(function() bootstrapLavaan(fit, R = draws, FUN = "coef"))))
out$version <- as.character(packageVersion("lavaan"))
write.csv(out, arguments[2], row.names = FALSE)
