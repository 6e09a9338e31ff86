# A worked example: two servers on ECS with Fargate behind a load balancer, Aurora PostgreSQL, and a signing key in KMS.

data "aws_region" "current" {}

locals {
  name = "vouch"
  port = 8080
  # The load balancer asks /readyz every 5 seconds.
  drain_seconds = 15
}
