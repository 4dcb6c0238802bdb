import type { Denial } from "../admission/reasons.ts";
import { POD_ANNOTATIONS } from "../annotations.ts";
import { isDnsLabel, isDnsSubdomain, LONGEST_LABEL } from "../kubernetes-names.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import { quoted, quotedPath } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { invalidAnnotation, type PerClass, readList, readPerClass, type ValueReader } from "./annotation-value.ts";
import type { CredentialsChoice } from "./credentials.ts";
import { annotationOnPod, type EffectiveAnnotations } from "./effective-annotations.ts";
import { denial, fill, PROBLEMS } from "./messages.ts";
import { examplePath, type OperatingSystem, pathBelow, placesOf, readMountPath, restBelow } from "./mount-path.ts";
import { DEFAULT_CREDENTIALS_SECRET, DEFAULT_MOUNT_PATH, DEFAULT_VOLUME_NAME } from "./settings.ts";
import { isSystemPath } from "./system-paths.ts";

/** The mount of one class that the pod's annotations request. */
export interface ClassMount {
  readonly className: string;
  readonly volumeName: string;
  readonly mountPath: string;
  readonly credentials: CredentialsChoice;
}

/** Limit, because each class may need a read from the API server while the pod's creator waits. */
export const MOST_CLASSES = 16;

/** Reads the classes to mount, their mount paths and their volume names. */
export function readClassMounts(annotations: EffectiveAnnotations, system: OperatingSystem): Result<readonly ClassMount[], Denial> {
  const classes = readClasses(annotations);
  if (!classes.ok) return classes;
  const credentials = readCredentials(annotations, classes.value);
  if (!credentials.ok) return credentials;
  const paths = perClass({ annotations, classes: classes.value }, POD_ANNOTATIONS.mountPath, (text) => readMountPath(text, system));
  if (!paths.ok) return paths;
  const names = perClass({ annotations, classes: classes.value }, POD_ANNOTATIONS.volumeName, readVolumeName);
  if (!names.ok) return names;
  const isOnly = classes.value.length === 1;
  const mounts = classes.value.map((className) => ({
    className,
    credentials: valueFor(credentials.value, className, DEFAULT_CREDENTIALS, (all) => all),
    mountPath: valueFor(paths.value, className, DEFAULT_MOUNT_PATH, (all) => (isOnly ? all : pathBelow(all, className))),
    volumeName: valueFor(names.value, className, DEFAULT_VOLUME_NAME, (all) => (isOnly ? all : volumeNameFor(all, className))),
  }));
  const clash = findSystemPath(annotations, mounts, system) ?? findClash(annotations, mounts, system);
  return clash === undefined ? ok(mounts) : failed(clash);
}

const DEFAULT_CREDENTIALS: CredentialsChoice = { kind: "default", name: DEFAULT_CREDENTIALS_SECRET };

function readClasses(annotations: EffectiveAnnotations): Result<readonly string[], Denial> {
  const annotation = annotations(POD_ANNOTATIONS.secretProviderClass);
  if (annotation === undefined || trimSpace(annotation.text) === "") return failed(denial("classRequired", {}));
  const classes = readList(annotation, PROBLEMS.classList);
  if (!classes.ok) return classes;
  const bad = classes.value.find((name) => !isDnsSubdomain(name));
  if (bad !== undefined) return failed(invalidAnnotation(annotation, fill(PROBLEMS.className, { item: quoted(bad) })));
  if (classes.value.length <= MOST_CLASSES) return classes;
  return failed(invalidAnnotation(annotation, fill(PROBLEMS.classCount, { most: String(MOST_CLASSES) })));
}

interface Asked {
  readonly annotations: EffectiveAnnotations;
  readonly classes: readonly string[];
}

function perClass<T>({ annotations, classes }: Asked, key: string, read: ValueReader<T>): Result<PerClass<T> | undefined, Denial> {
  const annotation = annotations(key);
  return annotation === undefined ? ok(undefined) : readPerClass(annotation, classes, read);
}

/**
 * Returns the value for a class. A value that names the class is used unchanged; a value for all classes, or the default, goes through
 * `spread`.
 */
function valueFor<T>(values: PerClass<T> | undefined, className: string, fallback: T, spread: (all: T) => T): T {
  if (values === undefined) return spread(fallback);
  if (values.kind === "all") return spread(values.value);
  return values.byClass.get(className) ?? spread(fallback);
}

/** A name on the Namespace is another default: only the pod itself can request a reference that its class does not read. */
function readCredentials(
  annotations: EffectiveAnnotations,
  classes: readonly string[],
): Result<PerClass<CredentialsChoice> | undefined, Denial> {
  const isDefault = annotations(POD_ANNOTATIONS.credentialsSecret)?.isDefault === true;
  return perClass<CredentialsChoice>({ annotations, classes }, POD_ANNOTATIONS.credentialsSecret, (text) => {
    if (text === "none") return ok({ kind: "none" });
    return isDnsSubdomain(text) ? ok({ kind: isDefault ? "default" : "named", name: text }) : failed(PROBLEMS.credentials);
  });
}

const readVolumeName: ValueReader<string> = (text) => (isDnsLabel(text) ? ok(text) : failed(PROBLEMS.volumeName));

/** Checks the final path of each class: `/etc` is not allowed for one class, but several classes below it are. */
function findSystemPath(annotations: EffectiveAnnotations, mounts: readonly ClassMount[], system: OperatingSystem): Denial | undefined {
  const broken = mounts.find(({ mountPath }) => isSystemPath(mountPath, system));
  if (broken === undefined) return undefined;
  const values = { path: quotedPath(broken.mountPath), example: examplePath(system) };
  return clash(annotations, POD_ANNOTATIONS.mountPath, fill(PROBLEMS.pathSystem, values));
}

/** Two classes need different names and separate paths, because a runtime cannot mount anything inside a read-only volume. */
function findClash(annotations: EffectiveAnnotations, mounts: readonly ClassMount[], system: OperatingSystem): Denial | undefined {
  const places = mounts.map(({ mountPath }) => placesOf(mountPath, system));
  for (const [index, mount] of mounts.entries()) {
    const sameName = mounts.find(({ volumeName }, at) => at !== index && volumeName === mount.volumeName);
    if (sameName !== undefined) {
      const values = { other: sameName.className, class: mount.className, name: quoted(mount.volumeName) };
      return clash(annotations, POD_ANNOTATIONS.volumeName, fill(PROBLEMS.sameVolumeName, values));
    }
    const around = mounts.find((_, at) => at !== index && restBelow(places[index] ?? [], places[at] ?? []) !== undefined);
    if (around !== undefined) {
      const values = { class: mount.className, path: quotedPath(mount.mountPath), other: around.className };
      return clash(annotations, POD_ANNOTATIONS.mountPath, fill(PROBLEMS.pathInClass, values));
    }
  }
  return undefined;
}

function clash(annotations: EffectiveAnnotations, key: string, problem: string): Denial {
  return invalidAnnotation(annotations(key) ?? annotationOnPod(key, ""), problem);
}

/**
 * Returns `<base>-<class>`. If that is not a DNS label (class names have dots and up to 253 characters), returns its beginning and a hash
 * of the whole, which is the same in every review of the same pod.
 */
export function volumeNameFor(base: string, className: string): string {
  const whole = `${base}-${className}`;
  if (isDnsLabel(whole)) return whole;
  const hash = fnv1a(whole);
  const beginning = whole
    .replaceAll(/[^-a-z0-9]/g, "-")
    .slice(0, LONGEST_LABEL - hash.length - 1)
    .replace(/-+$/, "");
  return `${beginning}-${hash}`;
}

/** FNV-1a, 32 bits: only distinguishes the names in one pod. The webhook denies a pod with a collision. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
