organization "acme" {
  system = "test"
}

# Each name says what is expected after the colon.
role "functions" {
  capabilities = [
    "A: ${upper("a")}",
    "b: ${trimsuffix("b.txt", ".txt")}",
    "a-b: ${join("-", ["a", "b"])}",
    "x=1: ${format("%s=%d", "x", 1)}",
    "a,b: ${join(",", distinct(["a", "b", "a"]))}",
    "1: ${distinct([1, 1, "x"])[0]}",
    "3: ${length(distinct([1, "1", true, 1]))}",
    "3: ${length("äöü")}",
    "2: ${length({ a = 1, b = 2 })}",
    "0: ${length([])}",
    "0: ${length(distinct([]))}",
    "c: ${element(tolist(["a", "b", "c"]), 2)}",
    "2: ${length(toset(["a", "b", "a"]))}",
    "2: ${length(tolist([1, "a"]))}",
    "x: ${lookup({ a = "x" }, "a", "y")}",
    "y: ${lookup({ a = "x" }, "b", "y")}",
    "a.b: ${replace("a-b", "-", ".")}",
    "a.b: ${replace("a12b", "/[0-9]+/", ".")}",
    "v: ${jsondecode("{\"k\": \"v\"}").k}",
    "w: ${yamldecode("k: [v, w]").k[1]}",
    "{\"a\":[1]}: ${jsonencode({ a = [1] })}",
    "fallback: ${try(local.map.missing, "fallback")}",
    "false: ${can(local.map.missing)}",
    "unset: ${try(role.other.description, "unset")}",
    "false: ${can(role.other.description)}",
    "other: ${try(role.other.name, "unset")}",
    "hello Ann: ${trimspace(templatefile("sub/hello.tmpl", { name = "Ann", all = ["x", "y"] }))}",
    "true: ${fileexists("sub/hello.tmpl")}",
    "false: ${fileexists("nothing")}",
    "2: ${length(setunion(["a"], ["b"]))}",
    "1: ${length(setsubtraction(["a", "b"], ["b"]))}",
    "ok: ${coalesce(null, "ok")}",
    "z: ${merge({ a = "x" }, { a = "z" }).a}",
    "b,a: ${join(",", reverse(["a", "b"]))}",
    "255: ${parseint("ff", 16)}",
    "a1: ${regex("[a-z][0-9]", "--a1--")}",
    "4: ${length(setproduct(["a", "b"], [1, 2]))}",
    "2026-01-02: ${formatdate("YYYY-MM-DD", timeadd("2026-01-01T00:00:00Z", "24h"))}",
    "a|b: ${join("|", sort(["b", "a"]))}",
    "2: ${zipmap(["a", "b"], [1, 2]).b}",
    "true: ${startswith("abc", "ab")}",
    "true: ${endswith("abc", "bc")}",
    "false: ${strcontains("abc", "x")}",
    "b: ${try(try(role.other.description, role.other.name), "c") == "other" ? "b" : "c"}",
  ]
}

role "other" {
  name = "other"
}

locals {
  map = { a = 1 }
}
