{{- define "vouch.labels" -}}
app.kubernetes.io/name: vouch
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "vouch.selector" -}}
app.kubernetes.io/name: vouch
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "vouch.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}
