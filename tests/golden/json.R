# Writes nested lists of numbers and text as JSON with 15 digits; no package needed.
json <- function(x) {
  if (is.list(x)) paste0("{", paste0('"', names(x), '": ', vapply(x, json, ""), collapse=",\n"), "}")
  else if (is.character(x)) paste0('"', x, '"', collapse=", ")
  else { v <- ifelse(is.finite(x), formatC(x, digits=15, format="g"), "null"); if (length(v) == 1) v else paste0("[", paste(v, collapse=", "), "]") }
}
