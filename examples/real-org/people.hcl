# Who is who comes from two files that another system could export. They are read
# on each run; there is no list of people in the configuration itself.

locals {
  member_rows = csvdecode(file("members.csv")) # email, organization_role
  team_rows   = csvdecode(file("groups.csv"))  # group, email

  owners = [for row in local.member_rows : row.email if row.organization_role == "owner"]

  # Team name to the list of its people. The three dots collect the rows of one team.
  teams = { for row in local.team_rows : row.group => row.email... }

  # Whoever is in at least one team, once.
  in_a_team = distinct([for row in local.team_rows : row.email])
}

# What kind of team it is decides on its role. Two kinds are by name, the others
# by size. Each team is of exactly one kind.
locals {
  release_teams = ["team236", "team237", "team297"]

  writer_teams = [
    "team175", "team176", "team179", "team180", "team191", "team196",
    "team197", "team198", "team200", "team206", "team207",
  ]

  kinds = {
    for name, people in local.teams : name => (
      contains(local.release_teams, name) ? "release" :
      contains(local.writer_teams, name) ? "writer" :
      length(people) >= 20 ? "forum" :
      length(people) >= 10 ? "developer" :
      "working"
    )
  }
}
