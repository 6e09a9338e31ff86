variable "host" {
  description = "The server's host name, such as vouch.example.com: its address is https://HOST, and cannot change later."
  type        = string
}

variable "owner_email" {
  description = "The address of the first owner. Their link is in the log group vouch-server."
  type        = string
}

variable "image" {
  description = "The server's image (deploy/Dockerfile), by digest: REPOSITORY@sha256:…"
  type        = string
}

variable "database_ca_file" {
  description = "The file in the image with https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem: no public authority signs Aurora's certificates. Without it the connection is encrypted, but the database's name is not proven."
  type        = string
  default     = null
}

variable "vpc_id" {
  type = string
}

variable "vpc_cidr" {
  description = "The VPC's range of addresses: the load balancer's are in it."
  type        = string
}

variable "private_subnet_ids" {
  description = "Subnets in two or more availability zones, with a NAT gateway or with endpoints for ECR, CloudWatch Logs, Secrets Manager and KMS."
  type        = list(string)
}

variable "load_balancer_subnet_ids" {
  description = "Public ones for a server on the internet; private ones for a server inside a VPN (internal = true)."
  type        = list(string)
}

variable "internal" {
  description = "Whether the load balancer has private addresses only. AWS then reads the documents of VOUCH_AWS_ISSUER."
  type        = bool
  default     = false
}

variable "certificate_arn" {
  description = "ACM's certificate for the host."
  type        = string
}

variable "client_cidrs" {
  description = "Who may reach the server."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "settings" {
  description = "Other settings, by name (docs/administration.md), such as { VOUCH_TEAM_NAME = \"Acme\" }."
  type        = map(string)
  default     = {}
}
