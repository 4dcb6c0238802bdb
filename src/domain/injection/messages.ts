import type { Denial, DenialReason } from "../admission/reasons.ts";
import { POD_ANNOTATIONS, PREFIX } from "../annotations.ts";
import { quoted, quotedPath } from "../quoted.ts";
import { WINDOW_ADVICE } from "../schedule/restart-window.ts";

/** The names between braces. */
export type Placeholders<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;

type Values<Template extends string> = Readonly<Record<Placeholders<Template>, string>>;

/** Puts values into a template without changes. */
export function fill<const Template extends string>(template: Template, values: Values<Template>): string {
  const known = new Map<string, string>(Object.entries(values));
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => known.get(name) ?? whole);
}

const CLASS_ADVICE = "write the name of a SecretProviderClass in the pod's namespace, or a comma-separated list of names";
const SECRET_ADVICE = "write the name of a Secret in the pod's namespace, or a comma-separated list of names";
const CONTAINER_ADVICE = 'write container names separated by commas, or "-name" to exclude one';

/** Problems of a value; the text follows `{annotation} is {value}: `. */
export const PROBLEMS = {
  flag: 'write "true" or "false"',
  window: `{why}: ${WINDOW_ADVICE}`,
  classList: CLASS_ADVICE,
  className: `{item} is not a valid object name; ${CLASS_ADVICE}`,
  classCount: "a pod can mount at most {most} classes",
  listedTwice: "it lists {item} twice; write it once",
  forClass: "for class {class}, {problem}",
  itemWithoutClass: "{item} names no class; write one value for all or class=value,class=value",
  foreignClass: "{class} is not a class of this pod; write one of {classes}",
  classTwice: "it names class {class} twice; write it once",
  credentials: 'write the name of a Secret in the pod\'s namespace, or "none"',
  volumeName: 'write a DNS label: at most 63 of a-z, 0-9 and "-", such as "secrets-store-inline"',
  sameVolumeName: "{other} and {class} get the same volume name {name}; write class=name for each",
  path: "write an absolute path such as {example}",
  pathLength: "it is longer than {most} characters; write an absolute path such as {example}",
  pathCharacters: 'a mount path cannot contain ":" or control characters; write an absolute path such as {example}',
  pathCharactersWindows: "a mount path cannot contain characters that Windows forbids; write an absolute path such as {example}",
  pathUp: 'a mount path cannot contain ".."; write an absolute path such as {example}',
  pathRoot: "a mount at the root would hide the container's own files; write an absolute path such as {example}",
  pathSystem:
    "a mount at {path} would break the container, because the kubelet, the runtime, or the system uses that path; write an absolute path such as {example}",
  pathOfWindows: "only a Windows pod has drives (spec.os.name: windows); write an absolute path such as {example}",
  pathInClass:
    "class {class} would be mounted at {path}, inside the mount of class {other}; write class=path for each, none inside another",
  containerList: CONTAINER_ADVICE,
  containerName: `{item} is not a valid container name; ${CONTAINER_ADVICE}`,
  containerBoth: "it both includes and excludes {item}; write one of the two",
  containerNone: "it leaves no container to mount into; name at least one",
  secretList: SECRET_ADVICE,
  secretName: `{item} is not a valid Secret name; ${SECRET_ADVICE}`,
  secretCount: "a pod can use at most {most} Secrets",
} as const;

/** Follows a path that collides with another one only through the link. */
export const LINK_NOTE = ' ("/var/run" is a link to "/run" in most images)';

/** Advice for a container with a conflict: the last part of a denial. `{containers}`: annotation value to write. */
export const FIXES = {
  path: `set annotation ${POD_ANNOTATIONS.mountPath} to a free path`,
  pathOrContainer: `set annotation ${POD_ANNOTATIONS.mountPath} to a free path, or exclude the container with ${POD_ANNOTATIONS.containers}: {containers}`,
  variable: "rename one of them",
  variableOrContainer: `rename one of them, or exclude the container with ${POD_ANNOTATIONS.containers}: {containers}`,
} as const;

/**
 * Returns the advice. Suggests excluding the container only if another one stays selected: `without` is the annotation's value in that
 * case.
 */
export function fixFor(kind: "path" | "variable", without: string | undefined): string {
  return without === undefined ? FIXES[kind] : fill(FIXES[`${kind}OrContainer`], { containers: JSON.stringify(without) });
}

/** Denials of a pod: the problem, its place, and what to write instead. */
export const DENIALS = {
  invalid: ["InvalidAnnotation", "{annotation} is {value}: {problem}"],
  unknown: ["UnknownAnnotation", "{annotation} is unknown: correct or remove it"],
  unknownButNear: ["UnknownAnnotation", "{annotation} is unknown: did you mean {nearest}? Correct or remove it"],
  workloadAnnotation: [
    "UnknownAnnotation",
    "{annotation} belongs on the workload itself, such as a Deployment: move it to the workload's metadata.annotations",
  ],
  classAnnotation: ["UnknownAnnotation", "{annotation} is unknown here: it belongs on a SecretProviderClass. Remove it"],
  classRequired: ["ClassRequired", `annotation ${POD_ANNOTATIONS.secretProviderClass} is missing: ${CLASS_ADVICE}`],
  containerNotFound: [
    "ContainerNotFound",
    '{annotation} names container {item}, but the pod has {containers}: write one of these; a container that another webhook adds later can only be excluded, as "-name"',
  ],
  volumeNameTaken: [
    "VolumeNameTaken",
    `the volume name {name} for class {class} is already used by another {other} of the pod: set annotation ${POD_ANNOTATIONS.volumeName} to a free name, or rename that volume`,
  ],
  referenceDiffers: [
    "VolumeNameTaken",
    `the pod's own volume {name} of class {class} has {has} (expected: {wanted}): set annotation ${POD_ANNOTATIONS.credentialsSecret} to {own}, or change the volume`,
  ],
  pathTaken: ["MountPathTaken", "container {container} already has {thing} at {place}, where class {class} would be mounted: {fix}"],
  pathHides: [
    "MountPathTaken",
    "container {container} has {thing} at {place}, inside {path}, where class {class} would be mounted read-only: {fix}",
  ],
  pathReadOnly: [
    "MountPathTaken",
    "container {container} has {thing} at {place}, read-only: class {class} cannot be mounted inside it, at {path}: {fix}",
  ],
  podTooLarge: [
    "PodTooLarge",
    `{containers} containers with {classes} classes and {secrets} Secrets each are too many for one pod ({entries} mounts and sources of variables, {size} MiB of paths and names): name fewer containers with annotation ${POD_ANNOTATIONS.containers}`,
  ],
  envSet: ["EnvTaken", "container {container} sets variable {variable} itself, which would hide the same key of Secret {secret}: {fix}"],
  envGiven: [
    "EnvTaken",
    "container {container} already has variable {variable} from Secret {other}, and Secret {secret} has that key too: {fix}",
  ],
  envGivenUnnamed: [
    "EnvTaken",
    "container {container} already has a variable from Secret {other} for which Secret {secret} also has a key: compare what their classes write, and {fix}",
  ],
  envTwice: [
    "EnvTaken",
    "{annotation} lists Secrets {other} and {secret}, which both have the key {variable}: write one of them, or rename a key",
  ],
  envTwiceUnnamed: [
    "EnvTaken",
    "{annotation} lists Secrets {other} and {secret}, which have a key in common: compare what their classes write, and write one of them, or rename a key",
  ],
  namespaceUnknown: [
    "NamespaceUnknown",
    "Namespace {namespace} could not be read and might contain defaults for this pod: controllers retry automatically; create a bare pod again",
  ],
} as const satisfies Record<string, readonly [DenialReason, string]>;

type DenialName = keyof typeof DENIALS;

export function denial<Name extends DenialName>(name: Name, values: Values<(typeof DENIALS)[Name][1]>): Denial {
  const [reason, template] = DENIALS[name];
  // The compiler does not follow one name through two lookups.
  return { reason, message: fill(template, values as Values<typeof template>) };
}

/** Warnings with an answer. At most 120 characters, including the inserted values. */
export const WARNINGS = {
  unknown: `{key} is not a ${PREFIX}/ annotation: correct or remove it`,
  unknownButNear: `{key} is not a ${PREFIX}/ annotation: did you mean {nearest}?`,
  moreUnknown: `{count} more unknown ${PREFIX}/ annotations: correct or remove them`,
  label: "{key} is a label, which has no effect: write it under annotations",
  workloadAnnotation: "{key} belongs on the workload itself, such as a Deployment: move it to metadata.annotations",
  classAnnotation: "{key} belongs on a SecretProviderClass and does nothing here",
  onNamespace: `on Namespace {namespace}, {key} is not a ${PREFIX}/ annotation: correct or remove it`,
  onNamespaceButNear: `on Namespace {namespace}, {key} is unknown: did you mean {nearest}?`,
  moreOnNamespace: `on Namespace {namespace}, {count} more unknown ${PREFIX}/ annotations: correct or remove them`,
  forgottenOptIn: `nothing is injected: ${POD_ANNOTATIONS.secretProviderClass} needs ${POD_ANNOTATIONS.inject}: "true"`,
  flag: `${POD_ANNOTATIONS.restartOnRotation} is {value}: write "true" or "false"`,
  window: "restart-window {value} is invalid, so no restart can begin: {why}",
  windowOnNamespace: "Namespace {namespace}: invalid restart-window {value} stops restarts: {why}",
  classMissing: "SecretProviderClass {class} does not exist in this namespace: pods wait for it",
  classMissingGuess: "SecretProviderClass {class} does not exist: pods wait for it (credentials: Secret {secret})",
  classUnread: "SecretProviderClass {class} could not be read",
  classUnreadGuess: "SecretProviderClass {class} could not be read (credentials: Secret {secret})",
  provider: 'SecretProviderClass {class} has provider {provider}, not "azure"',
  providerUnnamed: 'SecretProviderClass {class} has a provider other than "azure"',
  identityFlag: 'SecretProviderClass {class}: {parameter} must be "true" or "false"; the mount will fail',
  referenceUnread: "SecretProviderClass {class} uses no service principal: nodePublishSecretRef {secret} is ignored",
  writableVolume: "volume {name}: the driver mounts it only with csi.readOnly: true",
  subPath: "container {container} mounts secrets with subPath: rotation does not reach it",
  pathInVolume: "container {container}: the mount creates an empty directory {path} in volume {volume}",
  pathOfTokens: "mount-path {path}: a container with a token there does not start",
  pathOfImage: "mount-path {path} hides files of the image, such as programs and libraries",
  containerAbsent: "containers excludes {containers}, which the pod lacks: correct the name, unless another webhook adds it later",
  noRoomForStatus: "the annotations of the pod fill 256 KiB: keyvault-injector.dev/status is omitted",
  secretOfNoClass: "env-from: no class of this pod writes Secret {secret}; it must exist before the pod starts",
} as const;

type WarningName = keyof typeof WARNINGS;

const LONGEST_WARNING = 120;
const SHOWN = { most: 63, least: 11 };

/** Formats of values that are not simply quoted. `why` is a sentence from this project, and `count` a number. */
const SHOWN_AS: Readonly<Record<string, (value: string, shown: number) => string>> = {
  path: quotedPath,
  why: (value) => value,
  count: (value) => value,
};

/** Returns a warning with the values in quotes, shortened as necessary to keep the length limit. */
export function warning<Name extends WarningName>(name: Name, values: Values<(typeof WARNINGS)[Name]>): string {
  const given = Object.entries<string>(values);
  const textAt = (shown: number): string =>
    fill(WARNINGS[name] as string, Object.fromEntries(given.map(([key, value]) => [key, (SHOWN_AS[key] ?? quoted)(value, shown)])));
  const whole = textAt(SHOWN.most);
  if (whole.length <= LONGEST_WARNING) return whole;
  let [fits, tooLong]: [number, number] = [SHOWN.least, SHOWN.most];
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2);
    if (textAt(middle).length <= LONGEST_WARNING) fits = middle;
    else tooLong = middle;
  }
  const cut = textAt(fits);
  // The search above does not shorten `why`, so the whole text may still be too long.
  return cut.length <= LONGEST_WARNING ? cut : `${cut.slice(0, LONGEST_WARNING - 3)}...`;
}
