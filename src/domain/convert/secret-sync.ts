/** Converts `SecretSync` of secrets-store-sync-controller and of the Secret Store extension of Azure Arc. A SecretSync names a class. */

import { CLASS_ANNOTATIONS } from "../annotations.ts";
import { itemsIn, memberOf, membersOf, nonEmptyText } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import { MAX_VERSIONS } from "../provider-class/class-limits.ts";
import { narrowObjects } from "../provider-class/object-rules.ts";
import { readObjects } from "../provider-class/objects.ts";
import { TLS_TYPE } from "../secret-objects/tls.ts";
import { shell } from "../shell-words.ts";
import { carriedTexts } from "./carried-texts.ts";
import { call, type FunctionName, fileOf } from "./class-draft.ts";
import type { SecretExpressions } from "./class-text.ts";
import { expressionText } from "./expression.ts";
import { type ConversionRemark, errorOn, type PeerObject, warningOn } from "./peer-object.ts";

/** The Secret that a SecretSync adds to its class. */
export interface SyncedSecret {
  readonly from: PeerObject;
  readonly spc: PeerObject;
  readonly account: string;
  readonly trigger: string | undefined;
  readonly secretObject: JsonObject;
  readonly expressions: SecretExpressions;
  /** Whether the converter omitted no part of it. */
  readonly isWhole: boolean;
}

export interface SyncReading {
  /** Undefined if the SecretSync adds nothing. */
  readonly synced: SyncedSecret | undefined;
  readonly remarks: readonly ConversionRemark[];
}

export interface SyncWorld {
  readonly classOf: (name: string) => PeerObject | undefined;
  readonly isPartial: boolean;
}

export function readSecretSync(on: PeerObject, { classOf, isPartial }: SyncWorld): SyncReading {
  const spec = memberOf(on.object, "spec");
  const className = nonEmptyText(spec["secretProviderClassName"]);
  const account = nonEmptyText(spec["serviceAccountName"]);
  const spc = className === undefined ? undefined : classOf(className);
  const refused = (field: string, message: string): SyncReading => ({
    synced: undefined,
    remarks: [errorOn(on, { path: ["spec", field], message: `spec.${field}: ${message}` })],
  });
  if (className === undefined) return refused("secretProviderClassName", "missing; name the class");
  if (account === undefined) return refused("serviceAccountName", "missing; name the account whose token is used");
  if (spc === undefined) return refused("secretProviderClassName", absent(className, on.name));
  const provider = nonEmptyText(memberOf(spc.object, "spec")["provider"]) ?? "none";
  if (provider !== "azure") return refused("secretProviderClassName", `the class is of provider ${provider}; leave it to its controller`);
  const { secretObject, keys, remarks } = readSecretObject(on, memberOf(spec, "secretObject"), filesOfClass(spc));
  const isWhole = remarks.every(({ severity }) => severity === "warning");
  if (secretObject.data.length === 0 || !(isWhole || isPartial)) return { synced: undefined, remarks };
  const trigger = nonEmptyText(spec["forceSynchronization"]);
  return { synced: { from: on, spc, account, trigger, secretObject, expressions: { secret: on.name, keys }, isWhole }, remarks };
}

function absent(className: string, secret: string): string {
  return (
    `SecretProviderClass ${className} is not in these files; add its file, or what ${shell`kubectl get secretproviderclass ${className} -o yaml`} prints, ` +
    `so that the Secret ${secret} can be added to it`
  );
}

function readSecretObject(on: PeerObject, secret: JsonObject, files: ReadonlySet<string>) {
  const type = nonEmptyText(secret["type"]) ?? "Opaque";
  const data = readData(on, secret, { type, files });
  const labels = carriedTexts(on, ["spec", "secretObject", "labels"], secret["labels"]);
  const annotations = carriedTexts(on, ["spec", "secretObject", "annotations"], secret["annotations"]);
  const secretObject = {
    secretName: on.name,
    type,
    ...(Object.keys(labels.texts).length === 0 ? {} : { labels: labels.texts }),
    ...(Object.keys(annotations.texts).length === 0 ? {} : { annotations: annotations.texts }),
    data: data.entries,
  };
  return { secretObject, keys: data.keys, remarks: [...data.remarks, ...labels.remarks, ...annotations.remarks] };
}

/** Returns the files that a class produces. */
function filesOfClass({ object }: PeerObject): ReadonlySet<string> {
  const text = nonEmptyText(memberOf(memberOf(object, "spec"), "parameters")["objects"]);
  const raw = readObjects(text ?? "");
  const narrowed = raw.ok ? narrowObjects(raw.value) : raw;
  if (!narrowed.ok) return new Set();
  return new Set(
    narrowed.value.flatMap(({ path, history }) =>
      history > 1 ? Array.from({ length: Math.min(history, MAX_VERSIONS) + 1 }, (_, index) => `${path}/${index}`) : [path],
    ),
  );
}

/** Files into which the extension splits a certificate's secret, in addition to the files of the CSI provider. */
const PARTS: ReadonlyMap<string, FunctionName> = new Map([
  ["tls.crt", "certificates"],
  ["tls.key", "privateKey"],
]);

interface ReadData {
  readonly entries: readonly JsonObject[];
  readonly keys: SecretExpressions["keys"];
  readonly remarks: readonly ConversionRemark[];
}

function readData(
  on: PeerObject,
  secret: JsonObject,
  { type, files }: { readonly type: string; readonly files: ReadonlySet<string> },
): ReadData {
  const entries: JsonObject[] = [];
  const keys: SecretExpressions["keys"][number][] = [];
  const remarks: ConversionRemark[] = [];
  for (const [index, item] of itemsIn(secret["data"]).entries()) {
    const field = `spec.secretObject.data[${index}]`;
    const [sourcePath, key] = ["sourcePath", "targetKey"].map((name) => nonEmptyText(membersOf(item)[name])?.trim());
    const found = sourcePath === undefined ? undefined : fileFor(sourcePath, files);
    const path = ["spec", "secretObject", "data", index];
    if (key === undefined || sourcePath === undefined) {
      remarks.push(errorOn(on, { path, message: `${field}: write sourcePath and targetKey` }));
    } else if (found === undefined) {
      const message = `${field}.sourcePath: the class has no file ${sourcePath}; write the alias or name of one of its objects`;
      remarks.push(errorOn(on, { path: [...path, "sourcePath"], message }));
    } else {
      entries.push({ objectName: found.file, key });
      const isTaken = found.part === undefined || (type === TLS_TYPE && PARTS.get(key) === found.part);
      if (!isTaken) {
        keys.push({ key, expression: expressionText(call(found.part, LEAF), () => found.file) });
        remarks.push(
          warningOn(on, {
            path,
            message: `${field}.sourcePath: the same ${found.part === "privateKey" ? "key, which" : "certificates, which"} may have another encoding`,
          }),
        );
      }
    }
  }
  if (itemsIn(secret["data"]).length === 0)
    remarks.push(errorOn(on, { path: ["spec", "secretObject"], message: "spec.secretObject.data is empty; write an entry for each key" }));
  return { entries, keys, remarks };
}

/** A placeholder for the file: the class in the input already names its files. */
const LEAF = fileOf({ type: "secret", name: "" });

function fileFor(sourcePath: string, files: ReadonlySet<string>): { readonly file: string; readonly part?: FunctionName } | undefined {
  if (files.has(sourcePath)) return { file: sourcePath };
  const slash = sourcePath.lastIndexOf("/");
  const [file, part] = [sourcePath.slice(0, slash), PARTS.get(sourcePath.slice(slash + 1))];
  return slash > 0 && part !== undefined && files.has(file) ? { file, part } : undefined;
}

/** Returns the annotations that a class needs for its SecretSyncs. */
export function syncAnnotations(synced: readonly SyncedSecret[], given: JsonObject, isAdopting: boolean): JsonObject {
  const triggers = synced.map(({ trigger }) => trigger).filter((trigger) => trigger !== undefined);
  const adopted = isAdopting ? [nonEmptyText(given[CLASS_ANNOTATIONS.adopt]), ...synced.map(({ from }) => from.name)] : [];
  return {
    // Explicit, whatever the default of the install is: the controller keeps a Secret even if no pod uses it.
    [CLASS_ANNOTATIONS.sync]: "always",
    ...(synced[0] === undefined ? {} : { [CLASS_ANNOTATIONS.serviceAccount]: synced[0].account }),
    ...(triggers.length === 0 ? {} : { [CLASS_ANNOTATIONS.refresh]: triggers.join(" ") }),
    ...(adopted.length === 0 ? {} : { [CLASS_ANNOTATIONS.adopt]: adopted.filter((name) => name !== undefined).join(",") }),
  };
}
