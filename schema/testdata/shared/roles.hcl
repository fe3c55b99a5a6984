# Roles that several organizations share.
locals {
  prefix = "Shared"
}

role "shared" {
  name         = "${local.prefix} Access"
  description  = trimspace(file("texts/shared.txt"))
  capabilities = ["chat"]
}

role "eng" {
  for_each     = toset(["web"])
  capabilities = ["chat"]
}
