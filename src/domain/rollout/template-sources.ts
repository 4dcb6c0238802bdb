import { CSI_DRIVER } from "../injection/settings.ts";
import { listAt } from "../json-members.ts";
import { isJsonObject, type JsonObject } from "../json-object.ts";

/** Names in a pod template, without its annotations. */
export interface TemplateSources {
  /** Classes of CSI volumes. */
  readonly classes: readonly string[];
  /** Secrets in variables and volumes. */
  readonly secrets: readonly string[];
}

export function templateSources(spec: JsonObject): TemplateSources {
  const volumes = listAt(spec, "volumes");
  const containers = [...listAt(spec, "initContainers"), ...listAt(spec, "containers")];
  const classes = volumes.map(({ csi }) => {
    const isOurs = isJsonObject(csi) && csi["driver"] === CSI_DRIVER;
    return isOurs ? textAt(csi["volumeAttributes"], "secretProviderClass") : undefined;
  });
  const secrets = [...volumes.flatMap(secretsOfVolume), ...containers.flatMap(secretsOfContainer)];
  return { classes: distinct(classes), secrets: distinct(secrets) };
}

function secretsOfVolume({ secret, projected }: JsonObject): readonly (string | undefined)[] {
  const sources = isJsonObject(projected) ? listAt(projected, "sources") : [];
  return [textAt(secret, "secretName"), ...sources.map((source) => textAt(source["secret"], "name"))];
}

function secretsOfContainer(container: JsonObject): readonly (string | undefined)[] {
  const variables = listAt(container, "env").map(({ valueFrom }) =>
    isJsonObject(valueFrom) ? textAt(valueFrom["secretKeyRef"], "name") : undefined,
  );
  return [...variables, ...listAt(container, "envFrom").map(({ secretRef }) => textAt(secretRef, "name"))];
}

function textAt(object: unknown, name: string): string | undefined {
  const text = isJsonObject(object) ? object[name] : undefined;
  return typeof text === "string" && text !== "" ? text : undefined;
}

function distinct(names: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}
