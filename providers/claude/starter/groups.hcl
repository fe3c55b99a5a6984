# Groups carry roles to people. A list of members is complete: whoever is not
# on it is taken out of the group. Leave members out, and they are not managed.

group "all" {
  name    = "All"
  roles   = [role.base]
  members = everyone
}

# group "engineering" {
#   name    = "Engineering"
#   roles   = [role.developers]
#   members = ["jane@example.com", "raj@example.com"]
#
#   spend_limit {
#     monthly = "200.00" # for each member
#   }
# }
#
# A group that the identity provider fills: it can carry roles.
#
# group "okta" {
#   name   = "okta-engineering"
#   source = "scim"
#   roles  = [role.developers]
# }

# Roles count for members whose organization role is "Custom roles". A migration
# moves people there, wave by wave; what a closed wave would do is shown and not
# done.
#
# migration {
#   wave "pilot" {
#     groups = [group.engineering]
#   }
#   wave "everyone" {
#     members = everyone
#     state   = "closed"
#   }
# }
