output "load_balancer" {
  description = "Where a DNS record of the host leads (an alias, or a CNAME)."
  value       = aws_lb.vouch.dns_name
}

output "signing_key" {
  value = aws_kms_key.signing.arn
}
