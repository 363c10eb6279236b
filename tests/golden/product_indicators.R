# Makes product_indicators.json with lavaan: constrained and mean-centred product indicators on lms_simple.csv.
# Rscript product_indicators.R ../reference/data/lms_simple.csv product_indicators.json
library(lavaan)
args <- commandArgs(trailingOnly = TRUE)
d <- read.csv(args[1])
center <- function(v) v - mean(v)
for (i in 1:3) {
  p <- center(d[[paste0("x", i)]]) * center(d[[paste0("z", i)]])
  d[[paste0("p", i)]] <- p
  d[[paste0("q", i)]] <- center(p)
}
d[["c1"]] <- center(center(d$x1) * center(d$z1)); d[["c2"]] <- center(center(d$x2) * center(d$z1)); d[["c3"]] <- center(center(d$x2) * center(d$z2))
base <- "X =~ x1 + lx2*x2 + lx3*x3\nZ =~ z1 + lz2*z2 + lz3*z3\nY =~ y1 + y2 + y3\nY ~ X + Z + XZ\n"
part <- "X ~~ fx*X\nZ ~~ fz*Z\nX ~~ fxz*Z\nx1 ~~ tx1*x1\nx2 ~~ tx2*x2\nx3 ~~ tx3*x3\nz1 ~~ tz1*z1\nz2 ~~ tz2*z2\nz3 ~~ tz3*z3\nXZ ~~ fp*XZ\nfp == fx*fz + fxz^2\nXZ ~~ 0*X + 0*Z\n"
models <- list(
  mean = paste0(base, "XZ =~ p1 + p2 + p3\nXZ ~ NA*1\np1 ~ 0*1\np2 ~ 0*1\np3 ~ 0*1\n"),
  constrained = paste0(base, part, "XZ =~ q1 + l2*q2 + l3*q3\nl2 == lx2*lz2\nl3 == lx3*lz3\n",
    "q1 ~~ e1*q1\nq2 ~~ e2*q2\nq3 ~~ e3*q3\ne1 == fx*tz1 + fz*tx1 + tx1*tz1\n",
    "e2 == lx2^2*fx*tz2 + lz2^2*fz*tx2 + tx2*tz2\ne3 == lx3^2*fx*tz3 + lz3^2*fz*tx3 + tx3*tz3\n"),
  shared = paste0(base, part, "XZ =~ c1 + l2*c2 + l3*c3\nl2 == lx2\nl3 == lx2*lz2\n",
    "c1 ~~ e1*c1\nc2 ~~ e2*c2\nc3 ~~ e3*c3\ne1 == fx*tz1 + fz*tx1 + tx1*tz1\n",
    "e2 == lx2^2*fx*tz1 + fz*tx2 + tx2*tz1\ne3 == lx2^2*fx*tz2 + lz2^2*fz*tx2 + tx2*tz2\n",
    "c1 ~~ s12*c2\ns12 == lx2*fx*tz1\nc2 ~~ s23*c3\ns23 == lz2*fz*tx2\n"))
out <- lapply(models, function(m) {
  f <- sem(m, d, meanstructure = grepl("NA\\*1", m))
  e <- parameterEstimates(f)
  e <- e[e$op %in% c("=~", "~", "~~"), c("lhs", "op", "rhs", "est", "se")]
  list(rows = e, chisq = unname(fitMeasures(f, "chisq")), df = unname(fitMeasures(f, "df")))
})
number <- function(v) formatC(v, digits = 14, format = "g")
text <- sapply(names(out), function(n) {
  o <- out[[n]]
  rows <- apply(o$rows, 1, function(r) sprintf('["%s", "%s", "%s", %s, %s]', r[["lhs"]], r[["op"]], r[["rhs"]],
    number(as.numeric(r[["est"]])), number(as.numeric(r[["se"]]))))
  sprintf('"%s": {"chisq": %s, "df": %s, "rows": [\n%s]}', n, number(o$chisq), number(o$df), paste(rows, collapse = ",\n"))
})
writeLines(sprintf('{"software": "lavaan %s",\n%s}', packageVersion("lavaan"), paste(text, collapse = ",\n")), args[2])
