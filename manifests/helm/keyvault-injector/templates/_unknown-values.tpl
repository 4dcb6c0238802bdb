{{/* Values that the chart does not have: one line each, with the most similar name. */}}

{{/* Pairs of letters that follow each other, as JSON. The ends of the word count as letters: one letter less is little of a short name. */}}
{{- define "keyvault-injector.pairs" -}}
{{- $word := printf "^%s$" (lower .) -}}
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

{{/* Of a list: the table and a path. The names there, without those that the chart refuses whatever they are set to. */}}
{{- define "keyvault-injector.suggestible" -}}
{{- $table := index . 0 -}}
{{- $path := index . 1 -}}
{{- $names := list -}}
{{- range index $table.names $path -}}
{{- if not (has (trimPrefix "." (printf "%s.%s" $path .)) $table.inert) -}}
{{- $names = append $names . -}}
{{- end -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{/*
Of a list: the table, the path above, the unknown name. What may be meant: the same path of the driver's chart, a name beside it that is
much like it, or the places elsewhere of one that is. Nothing where nothing is.
*/}}
{{- define "keyvault-injector.nearest" -}}
{{- $table := index . 0 -}}
{{- $above := index . 1 -}}
{{- $name := index . 2 -}}
{{- $ofDriver := trimSuffix "." (printf "secrets-store-csi-driver.%s" $above) -}}
{{- $beside := include "keyvault-injector.likest" (list $name (include "keyvault-injector.suggestible" (list $table $above) | fromJsonArray)) | fromJson -}}
{{- $places := dict -}}
{{- range $path, $names := $table.names -}}
{{- $_ := set $places $path (include "keyvault-injector.suggestible" (list $table $path) | fromJsonArray) -}}
{{- end -}}
{{- $everywhere := list -}}
{{- range $places -}}
{{- $everywhere = concat $everywhere . -}}
{{- end -}}
{{- $elsewhere := include "keyvault-injector.likest" (list $name (uniq $everywhere)) | fromJson -}}
{{- if and (hasKey $table.names $ofDriver) (has $name (get $table.names $ofDriver)) -}}
{{- printf "%s.%s" $ofDriver $name -}}
{{- else if ge (int $beside.likeness) 60 -}}
{{- trimPrefix "." (printf "%s.%s" $above $beside.name) -}}
{{- else if ge (int $elsewhere.likeness) 70 -}}
{{- $found := list -}}
{{- range $path, $names := $places -}}
{{- if has $elsewhere.name $names -}}
{{- $found = append $found (trimPrefix "." (printf "%s.%s" $path $elsewhere.name)) -}}
{{- end -}}
{{- end -}}
{{- join " or " $found -}}
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
{{- if hasKey $table.elsewhere $inner }}
- {{ $inner }}: unknown value. {{ get $table.elsewhere $inner }}
{{- else if not (or (has $name $known) (has $inner (list "global" "enabled"))) }}
- {{ $inner }}: unknown value{{ with include "keyvault-injector.nearest" (list $table $path $name) }}. Did you mean {{ . }}?{{ else }}. To list all values, run `helm show values`{{ end }}
{{- else if and (hasKey $table.names $inner) (kindIs "map" $value) -}}
{{- include "keyvault-injector.unknown-values" (list $table $inner $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* An umbrella's global values are for all of its charts. Given to this chart alone, they were meant to do something,
except those that Rancher adds to every chart that it installs. */}}
{{- define "keyvault-injector.global-values" -}}
{{- if .Chart.IsRoot -}}
{{- range $name, $value := omit (.Values.global | default dict) "cattle" "systemDefaultRegistry" }}
- global.{{ $name }}: unknown value. The chart reads no global values. To set a registry, use image.repository
{{- end -}}
{{- end -}}
{{- end -}}
