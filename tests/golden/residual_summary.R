# lavaan's summary of residuals; run from the project folder.
suppressMessages(library(lavaan))
H <- read.csv("tests/reference/data/HolzingerSwineford1939.csv")
m <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
x <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nvisual ~ ageyr\ntextual ~ visual + ageyr"
fits <- list(ml = cfa(m, H), means = cfa(m, H, meanstructure = TRUE), mlm = cfa(m, H, estimator = "MLM"),
             wishart = cfa(m, H, likelihood = "wishart"), covariate = sem(x, H),
             pasteur = cfa(m, H[H$school == "Pasteur", ]))
num <- function(v) paste(ifelse(is.finite(v), formatC(v, digits = 12, format = "g"), "null"), collapse = ", ")
cases <- list()
for (name in names(fits)) for (type in c("srmr", "crmr")) {
  s <- lavResiduals(fits[[name]], type = c(srmr = "cor.bentler", crmr = "cor.bollen")[[type]])
  blocks <- if (is.null(s$summary)) lapply(s, function(b) b$summary) else list(s$summary)
  blocks <- sapply(blocks, function(b) paste0("{", paste0('"', names(b), '": [', sapply(unclass(b), num), "]", collapse = ", "), "}"))
  cases[[length(cases) + 1]] <- sprintf('"%s %s": [%s]', name, type, paste(blocks, collapse = ", "))
}
cat(sprintf('{"package": "lavaan %s",\n%s}\n', packageVersion("lavaan"), paste(unlist(cases), collapse = ",\n")),
    file = "tests/golden/residual_summary.json")
