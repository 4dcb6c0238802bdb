import type { Denial } from "../admission/reasons.ts";
import { POD_ANNOTATIONS } from "../annotations.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { invalidAnnotation, type PerClass, readList, readPerClass, type ValueReader } from "./annotation-value.ts";
import type { CredentialsChoice } from "./credentials.ts";
import { isDnsLabel, isDnsSubdomain } from "./kubernetes-names.ts";
import { isSameOrInside, readMountPath } from "./mount-path.ts";
import { DEFAULT_MOUNT_PATH, DEFAULT_VOLUME_NAME } from "./settings.ts";
import { volumeNameFor } from "./volume-name.ts";

/** One class as the pod's annotations ask for it. */
export interface ClassMount {
  readonly className: string;
  readonly volumeName: string;
  readonly mountPath: string;
  readonly credentials: CredentialsChoice;
}

/** Each may cost a read of the API server while the pod's creator waits. */
const MOST_CLASSES = 16;
const CLASS_ADVICE = "write the name of a SecretProviderClass of the pod's namespace, or a comma list of names";

/** Reads which classes the pod wants mounted, where, and under which volume names. */
export function readClassMounts(annotations: Readonly<Record<string, string>>): Result<readonly ClassMount[], Denial> {
  const classes = readClasses(annotations);
  if (!classes.ok) return classes;
  const credentials = perClass(annotations, POD_ANNOTATIONS.credentialsSecret, classes.value, readCredentials);
  if (!credentials.ok) return credentials;
  const paths = perClass(annotations, POD_ANNOTATIONS.mountPath, classes.value, readMountPath);
  if (!paths.ok) return paths;
  const names = perClass(annotations, POD_ANNOTATIONS.volumeName, classes.value, readVolumeName);
  if (!names.ok) return names;
  const isOnly = classes.value.length === 1;
  const mounts = classes.value.map((className) => ({
    className,
    credentials: valueFor(credentials.value, className, { kind: "default" }, (all) => all),
    mountPath: valueFor(paths.value, className, DEFAULT_MOUNT_PATH, (all) => (isOnly ? all : `${all}/${className}`)),
    volumeName: valueFor(names.value, className, DEFAULT_VOLUME_NAME, (all) => (isOnly ? all : volumeNameFor(all, className))),
  }));
  const clash = findClash(annotations, mounts);
  return clash === undefined ? ok(mounts) : failed(clash);
}

function readClasses(annotations: Readonly<Record<string, string>>): Result<readonly string[], Denial> {
  const key = POD_ANNOTATIONS.secretProviderClass;
  const value = annotations[key];
  if (value === undefined || value.trim() === "") {
    return failed({ reason: "ClassRequired", message: `annotation ${key} is missing: ${CLASS_ADVICE}` });
  }
  const classes = readList(key, value, CLASS_ADVICE);
  if (!classes.ok) return classes;
  const bad = classes.value.find((name) => !isDnsSubdomain(name));
  if (bad !== undefined) return failed(invalidAnnotation(key, value, `${quoted(bad)} is no name of an object, ${CLASS_ADVICE}`));
  if (classes.value.length > MOST_CLASSES) return failed(invalidAnnotation(key, value, `a pod mounts at most ${MOST_CLASSES} classes`));
  return classes;
}

function perClass<T>(
  annotations: Readonly<Record<string, string>>,
  key: string,
  classes: readonly string[],
  read: ValueReader<T>,
): Result<PerClass<T> | undefined, Denial> {
  const value = annotations[key];
  return value === undefined ? ok(undefined) : readPerClass(key, value.trim(), classes, read);
}

/** A value that names the class is taken as it stands; one for all, or the default, is `spread` over the classes. */
function valueFor<T>(values: PerClass<T> | undefined, className: string, fallback: T, spread: (all: T) => T): T {
  if (values === undefined) return spread(fallback);
  if (values.kind === "all") return spread(values.value);
  return values.byClass.get(className) ?? spread(fallback);
}

const readCredentials: ValueReader<CredentialsChoice> = (text) => {
  if (text === "none") return ok({ kind: "none" });
  return isDnsSubdomain(text) ? ok({ kind: "named", name: text }) : failed('write the name of a Secret of the pod\'s namespace, or "none"');
};

const readVolumeName: ValueReader<string> = (text) =>
  isDnsLabel(text) ? ok(text) : failed('write a DNS label: at most 63 of a-z, 0-9 and "-", such as "secrets-store-inline"');

/** Two classes need two names and two places, and no place inside another: nothing can be mounted into a read-only volume. */
function findClash(annotations: Readonly<Record<string, string>>, mounts: readonly ClassMount[]): Denial | undefined {
  for (const [index, mount] of mounts.entries()) {
    const others = mounts.filter((_, at) => at !== index);
    const sameName = others.find(({ volumeName }) => volumeName === mount.volumeName);
    if (sameName !== undefined) {
      const both = `${sameName.className} and ${mount.className} get the same volume name ${quoted(mount.volumeName)}`;
      return clash(annotations, POD_ANNOTATIONS.volumeName, `${both}, write class=name for each`);
    }
    const around = others.find(({ mountPath }) => isSameOrInside(mount.mountPath, mountPath));
    if (around !== undefined) {
      const both = `class ${mount.className} would be mounted at ${quoted(mount.mountPath)}, in the mount of class ${around.className}`;
      return clash(annotations, POD_ANNOTATIONS.mountPath, `${both}, write class=path for each, none inside another`);
    }
  }
  return undefined;
}

function clash(annotations: Readonly<Record<string, string>>, key: string, advice: string): Denial {
  return invalidAnnotation(key, annotations[key] ?? "", advice);
}
