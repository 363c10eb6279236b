# lavaan's side of invariance.py: the four steps, their tests and fit measures, processor seconds (median of 9)
suppressMessages(library(lavaan))
d <- read.csv("tests/reference/data/HolzingerSwineford1939.csv")
m <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
ladder <- function() {
  fits <- lapply(list("", "loadings", c("loadings", "intercepts"), c("loadings", "intercepts", "residuals")),
                 function(equal) cfa(m, d, group = "school", group.equal = equal))
  do.call(lavTestLRT, unname(fits)); lapply(fits, fitMeasures)
}
invisible(ladder())
cat(sprintf("lavaan %s: %.1f ms\n", packageVersion("lavaan"), 1000 * median(replicate(9, sum(system.time(ladder())[1:2])))))
