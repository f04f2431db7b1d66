# Rscript mice.R FOLDER: impute every in_K.csv there by mice as settings.json says, and write out_K.csv: m completed tables
# below each other. A repetition that fails leaves error_K.txt.
suppressPackageStartupMessages({library(mice); library(jsonlite)})
folder <- commandArgs(trailingOnly = TRUE)[1]
settings <- fromJSON(file.path(folder, "settings.json"))
kinds <- settings$kinds
for (seed in settings$seeds) {
  tryCatch({
    table <- read.csv(file.path(folder, sprintf("in_%d.csv", seed)))
    for (name in names(kinds)) {
      table[[name]] <- factor(table[[name]], ordered = kinds[[name]] == "ordered")
    }
    arguments <- list(table, m = settings$m, defaultMethod = settings$methods, seed = seed + 1, printFlag = FALSE)
    # With one incomplete column the first round's draws depend on nothing that further rounds would change.
    if (sum(colSums(is.na(table)) > 0) == 1) arguments$maxit <- 1
    if ("rf" %in% settings$methods) arguments$num.threads <- 1
    imputed <- do.call(mice, arguments)
    long <- complete(imputed, "long")[names(table)]
    for (name in names(kinds)) long[[name]] <- as.numeric(as.character(long[[name]]))
    if (anyNA(long)) stop("mice left cells empty: ", paste(unique(imputed$loggedEvents$meth), collapse = ", "))
    write.csv(long, file.path(folder, sprintf("out_%d.csv", seed)), row.names = FALSE)
  }, error = function(e) writeLines(conditionMessage(e), file.path(folder, sprintf("error_%d.txt", seed))))
}
