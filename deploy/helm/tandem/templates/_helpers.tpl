{{/* The labels of one part of Tandem. */}}
{{- define "tandem.selector" -}}
app.kubernetes.io/name: tandem
app.kubernetes.io/component: {{ . }}
{{- end }}

{{- define "tandem.labels" -}}
{{ include "tandem.selector" . }}
app.kubernetes.io/part-of: tandem
{{- end }}

{{- define "tandem.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* Whether Kafka is spoken to by TLS and SCRAM: always where Strimzi makes it. */}}
{{- define "tandem.sasl" -}}
{{ if or .Values.kafka.sasl.enabled .Values.kafka.strimzi.enabled }}true{{ end }}
{{- end }}

{{- define "tandem.kafkaCa" -}}
{{ if .Values.kafka.strimzi.enabled }}tandem-cluster-ca-cert{{ else }}{{ .Values.kafka.sasl.caSecret }}{{ end }}
{{- end }}

{{- define "tandem.postgresTls" -}}
{{ if or .Values.postgres.tls.enabled .Values.postgres.cloudnativepg.enabled }}true{{ end }}
{{- end }}

{{- define "tandem.postgresCa" -}}
{{ if .Values.postgres.cloudnativepg.enabled }}tandem-postgres-ca{{ else }}{{ .Values.postgres.tls.caSecret }}{{ end }}
{{- end }}

{{- define "tandem.kafkaPort" -}}
{{ regexFind "[0-9]+$" (include "tandem.bootstrap" .) }}
{{- end }}

{{- define "tandem.bootstrap" -}}
{{ if .Values.kafka.strimzi.enabled }}tandem-kafka-bootstrap:9093{{ else }}{{ required "kafka.bootstrap: say where Kafka is (host:port), or enable kafka.strimzi" .Values.kafka.bootstrap }}{{ end }}
{{- end }}

{{- define "tandem.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "tandem.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* What all pods have in common. Takes the root and the component. */}}
{{- define "tandem.pod" -}}
{{- $root := .root }}
serviceAccountName: tandem-{{ .component }}
# Nothing of Tandem talks to Kubernetes.
automountServiceAccountToken: false
# Else a Service named tandem-http would set TANDEM_HTTP_PORT in every pod.
enableServiceLinks: false
securityContext:
  {{- include "tandem.podSecurity" . | nindent 2 }}
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
volumes:
  - name: secrets
    projected:
      defaultMode: 0440
      sources:
        {{- if $root.Values.postgres.cloudnativepg.enabled }}
        - secret: {name: tandem-postgres-app, items: [{key: uri, path: database-url}]}
        - secret: {name: {{ $root.Values.secret }}, items: [{key: secret-key, path: secret-key}]}
        {{- else }}
        - secret:
            name: {{ $root.Values.secret }}
            items: [{key: database-url, path: database-url}, {key: secret-key, path: secret-key}]
        {{- end }}
  {{- if include "tandem.postgresTls" $root }}
  - name: postgres-ca
    secret: {secretName: {{ include "tandem.postgresCa" $root }}, defaultMode: 0440, items: [{key: ca.crt, path: ca.crt}]}
  {{- end }}
{{- end }}

{{/* What all containers have in common. Takes the root. */}}
{{- define "tandem.container" -}}
name: tandem
image: {{ include "tandem.image" . }}
imagePullPolicy: IfNotPresent
envFrom:
  - configMapRef: {name: tandem}
securityContext:
  {{- include "tandem.containerSecurity" . | nindent 2 }}
{{- end }}

{{- define "tandem.env" -}}
# Files, not values: a secret in the environment shows in a crash report and to every child.
- {name: TANDEM_DATABASE_URL_FILE, value: /etc/tandem/secrets/database-url}
- {name: TANDEM_SECRET_KEY_FILE, value: /etc/tandem/secrets/secret-key}
{{- end }}

{{- define "tandem.mounts" -}}
- {name: secrets, mountPath: /etc/tandem/secrets, readOnly: true}
{{- if include "tandem.postgresTls" . }}
- {name: postgres-ca, mountPath: /etc/tandem/postgres-ca, readOnly: true}
{{- end }}
{{- end }}

{{/* How many there are: nothing where an autoscaler says it. Takes the root and the component. */}}
{{- define "tandem.replicas" -}}
{{- $scaled := has .component (list "mapper" "jira-writer" "craft-writer") }}
{{- if eq .component "reconciler" }}
replicas: 1
{{- else if and (ne .component "webhook-gateway") (not (and $scaled .root.Values.keda.enabled)) }}
replicas: {{ (index .root.Values.services .component).replicas }}
{{- end }}
{{- end }}
