import { classKeysOn, misplacedWords } from "../../../domain/annotation-places.ts";
import { type KubeObject, RESOURCES, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import { keyOf, objectKey } from "../../../domain/object-key.ts";
import { classDefect } from "../../../domain/preflight/class-defect.ts";
import { shell } from "../../../domain/shell-words.ts";
import { conditionOf } from "../../../domain/sync/class-status.ts";
import { readStatus, type SecretProviderClassSync } from "../../../domain/sync/stored-status.ts";
import { counted } from "../../../domain/words.ts";
import { DEFAULT_CLOUD } from "../../shared/resources.ts";
import { workerSettingsInForce } from "../../shared/settings-in-force.ts";
import { listed } from "../../shared/viewer.ts";
import { type Check, type CheckResult, type DoctorContext, on } from "./check.ts";

/** Reports failing statuses, and other classes that no pod can mount: the worker has no status for classes that are only mounted. */
export const checkClasses: Check = async (context) => {
  const reading = await context.viewer.all<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs);
  const failing = listed(reading).flatMap(({ metadata, status }) => {
    const synced = conditionOf(readStatus(status), "Synced");
    return synced === undefined || synced.status === "True" ? [] : [{ metadata, synced }];
  });
  const findings = failingResults(failing);
  const classes = listed(await context.viewer.all<SecretProviderClass>(RESOURCES.secretProviderClasses));
  const byKey = new Map(classes.map(({ metadata }) => [objectKey(metadata), metadata]));
  const misplaced = listed(reading).flatMap(({ metadata }) => misplacedOn(metadata, byKey.get(objectKey(metadata)) ?? {}));
  const { unmountable, count } = await checkTexts(context, classes, new Set(failing.map(({ metadata }) => objectKey(metadata))));
  const reported = [...(reading.kind === "seen" ? findings : [on.classes.skipped(reading, "crds")]), ...misplaced, ...unmountable];
  if (reported.length > 0) return reported;
  // This check knows no more about a class without a status; `doctor class` explains it.
  return [on.classes.fine(`${statusText(listed(reading).length)}${mountText(count)}`)];
};

function statusText(count: number): string {
  const end = count === 1 ? "has a status from the worker, and does not fail" : "have a status from the worker, and none of them fails";
  return `${counted(count, "class")} ${end}`;
}

function mountText(count: number): string {
  if (count === 0) return "";
  return count === 1 ? "; the only class has no error that stops its pods" : `; none of ${count} classes has an error that stops its pods`;
}

/** Maximum number of failing classes to name in each namespace. The others are counted, so that no tenant buries another's findings. */
const MOST_FAILING = 5;

interface FailingClass {
  readonly metadata: KubeObject["metadata"];
  readonly synced: { readonly reason: string; readonly message: string };
}

function failingResults(failing: readonly FailingClass[]): readonly CheckResult[] {
  return [...Map.groupBy(failing, ({ metadata: { namespace = "" } }) => namespace)].flatMap(([namespace, own]) => {
    const named = own
      .slice(0, MOST_FAILING)
      .map(({ metadata: { name }, synced: { reason, message } }) =>
        on.classes.warn(`${namespace}/${name} is ${reason}: ${message}`, shell`keyvault-injector explain spc/${name} -n ${namespace}`),
      );
    const left = own.length - named.length;
    if (left === 0) return named;
    const rest = `${counted(left, "more class")} of ${namespace} ${left === 1 ? "fails" : "fail"}`;
    return [...named, on.classes.warn(rest, shell`kubectl get spcsync -n ${namespace}`)];
  });
}

/** Reports keys on a status that have an effect only on its class. */
function misplacedOn(metadata: KubeObject["metadata"], ofClass: Partial<KubeObject["metadata"]>): readonly CheckResult[] {
  return classKeysOn(metadata, ofClass).map((misplaced) => {
    const { fault, fix } = misplacedWords(misplaced, `on SecretProviderClass ${objectKey(metadata)}`);
    return on.classes.warn(`SecretProviderClassSync ${objectKey(metadata)}: ${fault}`, fix);
  });
}

/** Maximum number of classes that the check names. It only counts the others. */
const MOST_UNMOUNTABLE = 5;

interface Texts {
  readonly unmountable: readonly CheckResult[];
  /** Number of classes that the check read. */
  readonly count: number;
}

/** Checks only the text of the classes, without a query to a vault. `reported`: keys of the classes whose errors the worker reports already. */
async function checkTexts(
  { viewer, namespace }: DoctorContext,
  classes: readonly SecretProviderClass[],
  reported: ReadonlySet<string>,
): Promise<Texts> {
  const cloudName = (await workerSettingsInForce(viewer, namespace))["cloud-name"] ?? DEFAULT_CLOUD;
  const broken = classes.flatMap((spc) => {
    const defect = reported.has(keyOf(spc)) ? undefined : classDefect(spc, { cloudName });
    return defect?.stopsPods === true ? [{ key: keyOf(spc), message: defect.message }] : [];
  });
  const named = broken
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, MOST_UNMOUNTABLE)
    .map(({ key, message }) => on.classes.warn(`no pod can mount class ${key}: ${message}`, shell`keyvault-injector doctor class ${key}`));
  const left = broken.length - named.length;
  const rest =
    left === 0 ? [] : [on.classes.warn(`${counted(left, "more class")} cannot be mounted by any pod`, "keyvault-injector doctor class")];
  return { unmountable: [...named, ...rest], count: classes.length };
}
