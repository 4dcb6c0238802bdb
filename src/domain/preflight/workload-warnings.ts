import type { AdmissionDecision } from "../admission/decision.ts";
import { type ClassFact, usesServicePrincipal } from "../injection/credentials.ts";
import { warning as podWarning, WARNINGS } from "../injection/messages.ts";
import { type Pod, readPod } from "../injection/pod.ts";
import { CSI_DRIVER } from "../injection/settings.ts";
import { type PreflightReason, type PreflightWarning, preflightWarning } from "./warning.ts";

export interface WorkloadFacts {
  /** The pod of the template. */
  readonly pod: unknown;
  /** The answer of the pod webhook for that pod. */
  readonly decision: AdmissionDecision;
  /** The classes that the decision read, by name. */
  readonly classes: ReadonlyMap<string, ClassFact>;
}

/** Returns warnings that the author of a workload would otherwise get only from its pods, in the words of the pod webhook. */
export function workloadWarnings({ pod, decision, classes }: WorkloadFacts): readonly PreflightWarning[] {
  if (decision.kind === "errored") return [];
  const reported = decision.warnings.map((text) => preflightWarning(reasonOf(text), text));
  const read = readPod(pod);
  return [...denialWarnings(decision), ...reported, ...(read.ok ? unreadReferences(read.value, classes) : [])];
}

function denialWarnings(decision: AdmissionDecision): readonly PreflightWarning[] {
  // A Namespace that the webhook cannot read now may be readable when the pods are created.
  if (decision.kind !== "denied" || decision.reason === "NamespaceUnknown") return [];
  const { message, reason } = decision;
  return [preflightWarning("PodDenied", message), preflightWarning("PodDenied", `every pod of this template will be denied: ${reason}`)];
}

/** Reason for each warning of the pod webhook. */
const REASONS: Readonly<Record<keyof typeof WARNINGS, PreflightReason>> = {
  unknown: "UnknownAnnotation",
  unknownButNear: "UnknownAnnotation",
  moreUnknown: "UnknownAnnotation",
  label: "UnknownAnnotation",
  workloadAnnotation: "UnknownAnnotation",
  classAnnotation: "UnknownAnnotation",
  onNamespace: "UnknownAnnotation",
  onNamespaceButNear: "UnknownAnnotation",
  moreOnNamespace: "UnknownAnnotation",
  forgottenOptIn: "PodWarning",
  flag: "InvalidAnnotation",
  window: "InvalidAnnotation",
  windowOnNamespace: "InvalidAnnotation",
  classMissing: "ClassMissing",
  classMissingGuess: "ClassMissing",
  classUnread: "ClassUnreadable",
  classUnreadGuess: "ClassUnreadable",
  provider: "WrongProvider",
  providerUnnamed: "WrongProvider",
  identityFlag: "InvalidClass",
  referenceUnread: "CredentialsUnused",
  writableVolume: "PodWarning",
  subPath: "PodWarning",
  pathInVolume: "PodWarning",
  pathOfTokens: "PodWarning",
  pathOfImage: "PodWarning",
  containerAbsent: "PodWarning",
  noRoomForStatus: "PodWarning",
  secretOfNoClass: "PodWarning",
};

/** Finds the reason by the template of the text, because a decision contains its warnings only as texts. */
function reasonOf(text: string): PreflightReason {
  const found = PATTERNS.find(({ pattern }) => pattern.test(text));
  return found?.reason ?? "PodWarning";
}

const PATTERNS = Object.entries(REASONS).map(([name, reason]) => {
  const template: string = new Map<string, string>(Object.entries(WARNINGS)).get(name) ?? "";
  const literal = template.split(/\{\w+\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return { pattern: new RegExp(`^${literal.join(".*")}$`, "s"), reason };
});

/**
 * Warns about references to a credentials Secret that nothing reads. Only a service principal reads the Secret, so otherwise the reference
 * suggests protection that does not exist.
 */
function unreadReferences(pod: Pod, classes: ReadonlyMap<string, ClassFact>): readonly PreflightWarning[] {
  return pod.volumes.flatMap(({ csi }) => {
    const fact = csi?.secretProviderClass === undefined ? undefined : classes.get(csi.secretProviderClass);
    if (csi?.driver !== CSI_DRIVER || csi.credentialsSecret === undefined || fact?.kind !== "found") return [];
    if (fact.class.spec?.provider !== "azure" || usesServicePrincipal(fact.class)) return [];
    const values = { class: csi.secretProviderClass ?? "", secret: csi.credentialsSecret };
    return [preflightWarning("CredentialsUnused", podWarning("referenceUnread", values))];
  });
}
