/** Builds a class from a draft, and checks it with the code of the worker. */
import { CLASS_ANNOTATIONS } from "../annotations.ts";
import type { JsonObject } from "../json-object.ts";
import { apiVersionOf, RESOURCES, type SecretObject, type SecretProviderClassSpec } from "../kubernetes.ts";
import { isDnsSubdomain } from "../kubernetes-names.ts";
import { unseenCloudFile } from "../provider-class/cloud-file.ts";
import { CLOUDS } from "../provider-class/clouds.ts";
import { quoted } from "../quoted.ts";
import { parseProviderClass } from "../read-class.ts";
import { failed, ok, type Result } from "../result.ts";
import { secretObjectEntries } from "../secret-data/data-entries.ts";
import { placeOf } from "../secret-objects/expression-problem.ts";
import { textViolation } from "../secret-objects/rules.ts";
import type { ClassDraft, DraftObject, DraftValue, SecretDraft, Texts } from "./class-draft.ts";
import { type NamedObject, objectsText, secretDataText } from "./class-text.ts";
import { expressionText, firstFile } from "./expression.ts";

type FileValue = Extract<DraftValue, { kind: "file" }>;

/** Returns the class, or the reason why the worker would refuse it. */
export function buildClass(draft: ClassDraft, { isAdopting }: { readonly isAdopting: boolean }): Result<JsonObject, string> {
  const repeated = repetition(draft.secrets);
  if (repeated !== undefined) return failed(`spec: ${repeated}`);
  const objects = nameObjects(draft.secrets);
  const pathOf = (file: FileValue): string => pathIn(objects, file);
  const secretObjects = draft.secrets.map((secret) => secretObject(secret, pathOf));
  const secretData = secretDataText(
    draft.secrets.map((secret) => ({
      secret: secret.name,
      keys: secret.entries
        .filter(({ value }) => value.kind === "call")
        .map(({ key, value }) => ({ key, expression: expressionText(value, pathOf) })),
    })),
  );
  const spec = {
    provider: "azure",
    parameters: { ...draft.access.parameters, objects: objectsText(objects), ...(secretData === undefined ? {} : { secretData }) },
    secretObjects,
  };
  const problem = isDnsSubdomain(draft.name)
    ? specProblem(spec)
    : `${quoted(draft.name)} is not a valid object name; use lower-case letters, digits, - and .`;
  if (problem !== undefined) return failed(problem);
  return ok({
    apiVersion: apiVersionOf(RESOURCES.secretProviderClasses),
    kind: RESOURCES.secretProviderClasses.kind,
    metadata: {
      name: draft.name,
      ...(draft.namespace === undefined ? {} : { namespace: draft.namespace }),
      annotations: annotationsOf(draft, isAdopting),
    },
    spec,
  });
}

/** Finds a Secret or key that occurs twice. The worker uses the later of two equal keys without a warning. */
function repetition(secrets: readonly SecretDraft[]): string | undefined {
  const secret = firstTwice(secrets.map(({ name }) => name));
  if (secret !== undefined)
    return `it creates the Secret ${secret} twice, but a class can create each Secret only once; name another Secret in one of the two`;
  for (const { name, entries } of secrets) {
    const key = firstTwice(entries.map((entry) => entry.key));
    if (key !== undefined) return `it writes the key ${key} of the Secret ${name} twice; remove one of the two, or name another key`;
  }
  return undefined;
}

function firstTwice(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}

/** Explains why the worker would refuse the class, with the worker's own code: field, message, and remedy. */
export function specProblem(spec: SecretProviderClassSpec): string | undefined {
  const parsed = parseProviderClass(spec, {
    owner: "the class",
    cloudName: CLOUDS[0].name,
    readCloudFile: unseenCloudFile,
    identityBindings: true,
  });
  if (parsed.kind === "invalid" && parsed.problem.field !== "spec.parameters.cloudEnvFileName") {
    const { message, field, hint } = parsed.problem;
    return `${field} of the class: ${message}; ${hint}`;
  }
  for (const [index, object] of secretObjectEntries(spec).entries()) {
    const violation = textViolation(object);
    if (violation !== undefined) return `${placeOf(index, violation.field)} of the class: ${violation.message}; ${violation.hint}`;
  }
  return undefined;
}

function annotationsOf({ annotations, access, secrets }: ClassDraft, isAdopting: boolean): Texts {
  const adopted = secrets.filter(({ isAdopted }) => isAdopting || isAdopted === true).map(({ name }) => name);
  return {
    // Explicit, whatever the default of the install is: peers keep a Secret even if no pod uses it.
    [CLASS_ANNOTATIONS.sync]: "always",
    ...annotations,
    ...access.annotations,
    ...(adopted.length === 0 ? {} : { [CLASS_ANNOTATIONS.adopt]: adopted.join(",") }),
  };
}

function secretObject({ name, type, labels, annotations, entries }: SecretDraft, pathOf: (file: FileValue) => string): SecretObject {
  return {
    secretName: name,
    type,
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    data: entries.flatMap(({ key, value }) => {
      const file = firstFile(value);
      return file === undefined ? [] : [{ objectName: pathOf(file), key }];
    }),
  };
}

/** Returns each different object once, in the order of the keys. The first object of a name uses that name; the others get a number. */
function nameObjects(secrets: readonly SecretDraft[]): readonly NamedObject[] {
  const named: NamedObject[] = [];
  const taken = new Set<string>();
  for (const object of secrets.flatMap(({ entries }) => entries).flatMap(({ value }) => filesOf(value))) {
    if (named.some((known) => isSameObject(known.object, object))) continue;
    let path = object.name;
    for (let number = 2; taken.has(path); number += 1) path = `${object.name}-${number}`;
    taken.add(path);
    named.push({ object, path });
  }
  return named;
}

function filesOf(value: DraftValue): readonly DraftObject[] {
  if (value.kind === "file") return [value.object];
  return value.arguments.flatMap((each) => (typeof each === "string" ? [] : filesOf(each)));
}

function pathIn(objects: readonly NamedObject[], { object, index }: FileValue): string {
  const path = objects.find((known) => isSameObject(known.object, object))?.path ?? object.name;
  return index === undefined ? path : `${path}/${index}`;
}

const FIELDS = ["type", "name", "version", "format", "encoding", "history"] as const satisfies readonly (keyof DraftObject)[];

function isSameObject(one: DraftObject, other: DraftObject): boolean {
  return FIELDS.every((field) => one[field] === other[field]);
}
