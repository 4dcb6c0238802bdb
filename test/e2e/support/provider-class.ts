import { VAULT, type World } from "./world.ts";

export interface ClassParts {
  /** YAML lines of each object. */
  readonly objects: readonly (readonly string[])[];
  readonly secretObjects?: readonly object[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly apiVersion?: "v1" | "v1alpha1";
  readonly namespace?: string;
}

/** A class for the walk-through's vault, with a service principal unless `parameters` set another identity. */
export function providerClass({ walk }: World, name: string, parts: ClassParts): object {
  const { objects, secretObjects, annotations = {}, parameters = {}, apiVersion = "v1", namespace = "default" } = parts;
  return {
    apiVersion: `secrets-store.csi.x-k8s.io/${apiVersion}`,
    kind: "SecretProviderClass",
    metadata: { name, namespace, annotations },
    spec: {
      provider: "azure",
      parameters: { keyvaultName: VAULT, tenantID: walk.values["tenant-Id"], objects: objectsYaml(objects), ...parameters },
      ...(secretObjects === undefined ? {} : { secretObjects }),
    },
  };
}

/** A secret object of type `Opaque` with one key. */
export function opaque(secretName: string, objectName: string, key = "password"): object {
  return { secretName, type: "Opaque", data: [{ objectName, key }] };
}

export function object(objectName: string, more: Readonly<Record<string, string>> = {}): readonly string[] {
  return [`objectName: ${objectName}`, ...Object.entries({ objectType: "secret", ...more }).map(([field, value]) => `${field}: ${value}`)];
}

function objectsYaml(objects: readonly (readonly string[])[]): string {
  return ["array:", ...objects.flatMap((lines) => ["  - |", ...lines.map((line) => `    ${line}`)]), ""].join("\n");
}
