{{/* Names of values that the chart does not know: a line for each, with the nearest name that it does. */}}

{{/* Pairs of letters that follow each other, as JSON. */}}
{{- define "keyvault-injector.pairs" -}}
{{- $word := lower . -}}
{{- $pairs := list -}}
{{- range $at := untilStep 0 (int (sub (len $word) 1)) 1 -}}
{{- $pairs = append $pairs (substr $at (int (add $at 2)) $word) -}}
{{- end -}}
{{- toJson $pairs -}}
{{- end -}}

{{/* How alike two words of a list are, in percent: twice the pairs that both have, of all pairs. */}}
{{- define "keyvault-injector.likeness" -}}
{{- $left := include "keyvault-injector.pairs" (index . 0) | fromJsonArray -}}
{{- $right := include "keyvault-injector.pairs" (index . 1) | fromJsonArray -}}
{{- $all := add (len $left) (len $right) -}}
{{- $common := 0 -}}
{{- range $left -}}
{{- if has . $right -}}
{{- $common = add $common 1 -}}
{{- end -}}
{{- end -}}
{{- if eq (lower (index . 0)) (lower (index . 1)) -}}100{{- else if gt $all 0 -}}{{- div (mul 200 $common) $all -}}{{- else -}}0{{- end -}}
{{- end -}}

{{/* Of a list: a word and names. The likest name and how alike it is, as JSON. */}}
{{- define "keyvault-injector.likest" -}}
{{- $word := index . 0 -}}
{{- $best := dict "name" "" "likeness" 0 -}}
{{- range index . 1 -}}
{{- $likeness := include "keyvault-injector.likeness" (list $word .) | int -}}
{{- if gt $likeness (int $best.likeness) -}}
{{- $best = dict "name" . "likeness" $likeness -}}
{{- end -}}
{{- end -}}
{{- toJson $best -}}
{{- end -}}

{{/*
Of a list: the table, the path above, the unknown name. What may be meant: the same path of the driver's chart, a name beside it that is
much like it, the places elsewhere of one that is, or one beside it that is a little like it. Nothing where nothing is.
*/}}
{{- define "keyvault-injector.nearest" -}}
{{- $table := index . 0 -}}
{{- $above := index . 1 -}}
{{- $name := index . 2 -}}
{{- $ofDriver := trimSuffix "." (printf "secrets-store-csi-driver.%s" $above) -}}
{{- $beside := include "keyvault-injector.likest" (list $name (index $table.names $above)) | fromJson -}}
{{- $everywhere := list -}}
{{- range $table.names -}}
{{- $everywhere = concat $everywhere . -}}
{{- end -}}
{{- $elsewhere := include "keyvault-injector.likest" (list $name (uniq $everywhere)) | fromJson -}}
{{- if and (hasKey $table.names $ofDriver) (has $name (get $table.names $ofDriver)) -}}
{{- printf "%s.%s" $ofDriver $name -}}
{{- else if ge (int $beside.likeness) 60 -}}
{{- trimPrefix "." (printf "%s.%s" $above $beside.name) -}}
{{- else if ge (int $elsewhere.likeness) 70 -}}
{{- $places := list -}}
{{- range $path, $names := $table.names -}}
{{- if has $elsewhere.name $names -}}
{{- $places = append $places (trimPrefix "." (printf "%s.%s" $path $elsewhere.name)) -}}
{{- end -}}
{{- end -}}
{{- join " or " $places -}}
{{- else if ge (int $beside.likeness) 30 -}}
{{- trimPrefix "." (printf "%s.%s" $above $beside.name) -}}
{{- end -}}
{{- end -}}

{{/*
Of a list: the table, a path, the values there. Above all of them global, and enabled, by which another chart switches this one
(its dependency's condition), are Helm's own.
*/}}
{{- define "keyvault-injector.unknown-values" -}}
{{- $table := index . 0 -}}
{{- $path := index . 1 -}}
{{- $known := index $table.names $path -}}
{{- range $name, $value := index . 2 -}}
{{- $inner := trimPrefix "." (printf "%s.%s" $path $name) -}}
{{- if not (or (has $name $known) (has $inner (list "global" "enabled"))) }}
- {{ $inner }}: no such value{{ with include "keyvault-injector.nearest" (list $table $path $name) }}; did you mean {{ . }}?{{ else }}; `helm show values` lists them{{ end }}
{{- else if and (hasKey $table.names $inner) (kindIs "map" $value) -}}
{{- include "keyvault-injector.unknown-values" (list $table $inner $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
