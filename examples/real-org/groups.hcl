# 96 groups; the vendor allows 100.

group "contributors" {
  name    = "Contributors"
  roles   = [role.contributor]
  members = everyone
}

# One block for each kind, one group for each team. The address of a group is
# the block and the key, such as group.release["team236"].

group "release" {
  for_each = { for name, people in local.teams : name => people if local.kinds[name] == "release" }

  name    = each.key
  roles   = [role.releaser]
  members = each.value
}

group "writer" {
  for_each = { for name, people in local.teams : name => people if local.kinds[name] == "writer" }

  name    = each.key
  roles   = [role.writer]
  members = each.value
}

group "forum" {
  for_each = { for name, people in local.teams : name => people if local.kinds[name] == "forum" }

  name    = each.key
  roles   = [role.triager]
  members = each.value
}

group "developer" {
  for_each = { for name, people in local.teams : name => people if local.kinds[name] == "developer" }

  name    = each.key
  roles   = [role.developer]
  members = each.value
}

group "working" {
  for_each = { for name, people in local.teams : name => people if local.kinds[name] == "working" }

  name    = each.key
  roles   = [role.collaborator]
  members = each.value
}
