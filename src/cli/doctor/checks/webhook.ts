import { POD_ANNOTATIONS } from "../../../domain/annotations.ts";
import {
  AUTHORITY_KEYS,
  AUTHORITY_SECRET,
  PREFLIGHT_ENTRIES,
  WEBHOOK_CONFIGURATION,
  WEBHOOK_ENTRY,
} from "../../../domain/certificates/names.ts";
import { WEBHOOK_DEPLOYMENT } from "../../../domain/healing/components.ts";
import { readPod } from "../../../domain/injection/pod.ts";
import { CSI_DRIVER } from "../../../domain/injection/settings.ts";
import { type KubeObject, RESOURCES, type Secret } from "../../../domain/kubernetes.ts";
import { KubeError, type KubeErrorCode } from "../../../domain/ports/kube-error.ts";
import { counted } from "../../../domain/words.ts";
import { INJECTION_POLICY, injectionModeOf, narrowingsOfPolicy } from "../../shared/injection-mode.ts";
import { INJECTION_POLICY_DIGEST } from "../../shared/injection-policy-digest.ts";
import { policyDigest } from "../../shared/policy-digest.ts";
import { EXCLUDED_NAMESPACES, FINAL_CHECK, MORE_RESOURCES, type WebhookConfiguration, type WebhookEntry } from "../../shared/resources.ts";
import { settingsOf, type WorkloadObject } from "../../shared/settings-in-force.ts";
import { type Viewer, valueIn, whyNot } from "../../shared/viewer.ts";
import { certificatesOf, dayOf, decoded, endsOf, narrowingsOf, readEntry, selectorProblem } from "../../shared/webhook-entry.ts";
import { AGAIN, type Check, type CheckResult, type DoctorContext, on, orFine } from "./check.ts";
import { mistakesOn } from "./namespace-keys.ts";

const APPLY = "apply the manifests again";

export const checkWebhook: Check = async (context) => {
  const reading = await readEntry(context.viewer);
  if (reading.kind === "unseen") return [on.webhook.skipped(reading)];
  const byPolicy = await policyResults(context);
  if (reading.kind === "absent" && byPolicy.length > 0) return byPolicy;
  if (reading.kind !== "seen")
    return [on.webhook.fail(`no MutatingWebhookConfiguration ${WEBHOOK_CONFIGURATION} with ${WEBHOOK_ENTRY} exists`, APPLY)];
  const { failurePolicy, clientConfig } = reading.value;
  const { fail, warn, fine } = on.webhook;
  const narrowed = narrowingsOf(reading.value).join(", ");
  const findings = [
    (clientConfig?.caBundle ?? "") === "" &&
      fail("its caBundle is empty, so the API server trusts no response", "start the webhook, which publishes it; see its log"),
    failurePolicy !== "Ignore" &&
      warn(`its failurePolicy is ${failurePolicy ?? "unset"}`, `set it to Ignore (${APPLY}): otherwise, an outage stops every pod`),
    narrowed !== "" && warn(`its ${narrowed} may exclude opted-in pods`, UNLESS_MEANT),
  ];
  const own = orFine(
    findings.filter((finding) => finding !== false),
    fine(`${WEBHOOK_ENTRY} is configured`),
  );
  return [...own, ...byPolicy];
};

const UNLESS_MEANT = "remove this from the configuration, unless it is intended";

/** Checks the policy that injects pods; returns nothing if there is none. */
async function policyResults({ viewer }: Pick<DoctorContext, "viewer">): Promise<readonly CheckResult[]> {
  const mode = await injectionModeOf(viewer);
  if (mode.policy === undefined) return [];
  const narrowed = narrowingsOfPolicy(mode).join(", ");
  const { warn, fine } = on.webhook;
  if (narrowed !== "")
    return [warn(`the policy ${INJECTION_POLICY} has a different ${narrowed}, which may exclude opted-in pods`, UNLESS_MEANT)];
  if (policyDigest(mode.policy.spec ?? {}) !== INJECTION_POLICY_DIGEST) {
    const message = `the policy ${INJECTION_POLICY} differs from the one that this version of the command ships`;
    return [warn(message, `${APPLY}, or use the command of the installed version`)];
  }
  return [
    fine(
      mode.kind === "policy"
        ? `there is no webhook: the policy ${INJECTION_POLICY} injects`
        : `the policy ${INJECTION_POLICY} injects as well`,
    ),
  ];
}

/** Checks the preflight. Only warns, because an install without it is complete. */
export const checkPreflight: Check = async ({ viewer }) => {
  const reading = await viewer.object<WebhookConfiguration>(RESOURCES.validatingWebhookConfigurations, { name: WEBHOOK_CONFIGURATION });
  if (reading.kind === "unseen") return [on.preflight.skipped(reading)];
  const entries = valueIn(reading)?.webhooks ?? [];
  const missing = PREFLIGHT_ENTRIES.filter((name) => !entries.some((entry) => entry.name === name));
  if (missing.length > 0)
    return [on.preflight.warn(`not configured: ${missing.join(", ")}`, `${APPLY}, if kubectl apply should show warnings`)];
  const untrusted = entries.filter(({ clientConfig }) => (clientConfig?.caBundle ?? "") === "").map(({ name }) => name);
  if (untrusted.length > 0) return [on.preflight.warn(`no caBundle: ${untrusted.join(", ")}`, "see the webhook's log")];
  return [on.preflight.fine(`${PREFLIGHT_ENTRIES.length} of ${PREFLIGHT_ENTRIES.length} are configured`)];
};

const DAY = 86_400_000;

/** Remaining validity (milliseconds) that shows that the CA is not being renewed: a CA is renewed eight months into its year. */
const LEAST_LEFT = 30 * DAY;

export const checkCertificates: Check = async (context) => {
  const reading = await readEntry(context.viewer);
  if (reading.kind === "unseen") return [on.certificates.skipped(reading)];
  const ends = endsOf(valueIn(reading)?.clientConfig?.caBundle);
  if (ends.length === 0)
    return [on.certificates.fail("the API server has no certificate with which to verify the webhook", "start the webhook; see its log")];
  const last = Math.max(...ends);
  const left = last - context.clock.now();
  const until = dayOf(last);
  const { fail, warn } = on.certificates;
  if (left <= 0)
    return [fail(`the newest of ${ends.length} expired on ${until}`, "start the webhook; see its log for why it does not renew")];
  if (left < LEAST_LEFT) return [warn(`the newest of ${ends.length} ends on ${until}`, "see the webhook's log for why it does not renew")];
  return [on.certificates.fine(`${ends.length} trusted, the newest until ${until}`)];
};

/** Checks which namespaces the webhook serves, and reports project keys on Namespaces that have no effect. */
export const checkNamespaces: Check = async (context) => {
  const namespaces = await context.viewer.all<KubeObject>(RESOURCES.namespaces);
  if (namespaces.kind !== "seen") return [on.namespaces.skipped(namespaces)];
  return [...namespaces.value.flatMap(mistakesOn), await servedResult(context, namespaces.value)];
};

async function servedResult({ viewer, namespace }: DoctorContext, namespaces: readonly KubeObject[]): Promise<CheckResult> {
  const reading = await readEntry(viewer);
  const { policy } = await injectionModeOf(viewer);
  if (reading.kind !== "seen" && policy === undefined) return on.namespaces.skipped(reading, "webhook");
  const selector = valueIn(reading)?.namespaceSelector ?? policy?.spec?.matchConstraints?.namespaceSelector;
  const excluded = namespaces
    .filter(({ metadata }) => selectorProblem(selector, metadata.labels ?? {}) !== undefined)
    .map(({ metadata }) => metadata.name);
  const meant = [...EXCLUDED_NAMESPACES, namespace];
  const missing = meant.filter((name) => !excluded.includes(name) && namespaces.some(({ metadata }) => metadata.name === name));
  const others = excluded.filter((name) => !meant.includes(name));
  const served = namespaces.length - excluded.length;
  const count = `${served} of ${counted(namespaces.length, "namespace")} ${served === 1 || namespaces.length === 1 ? "is" : "are"} served`;
  if (missing.length > 0)
    return on.namespaces.fail(`${missing.join(", ")} is not excluded: pods that the webhook needs would need the webhook`, APPLY);
  if (others.length === 0) return on.namespaces.fine(`${count}; excluded: ${excluded.join(", ")}`);
  const fix = "see the namespaceSelector of the configuration, if this is not intended";
  return on.namespaces.warn(`${count}; also excluded: ${others.join(", ")}`, fix);
}

type ClientConfig = NonNullable<WebhookEntry["clientConfig"]>;

/** Checks that the CA that signs, the CA that the API server trusts, and the certificate that the webhook serves belong to one chain. */
export const checkAuthority: Check = async (context) => {
  const reading = await readEntry(context.viewer);
  if (reading.kind === "unseen") return [on.authority.skipped(reading)];
  const clientConfig = valueIn(reading)?.clientConfig ?? {};
  const served = await servedText(context, clientConfig);
  if (typeof served !== "string") return [served];
  const signing = await signingResult(context, clientConfig);
  return [signing.state === "OK" ? on.authority.fine(`${signing.message}; ${served}`) : signing];
};

const CHECKED_WITHIN = "do not ask for it: the webhook and the worker make this check themselves, and log what they find";

/** Compares the CA Secret with the caBundle. Uses only the certificate of the Secret. */
async function signingResult(context: DoctorContext, { caBundle }: ClientConfig): Promise<CheckResult> {
  const { viewer, namespace, clock } = context;
  const named = `Secret ${namespace}/${AUTHORITY_SECRET}`;
  const webhook = await viewer.object<WorkloadObject>(MORE_RESOURCES.deployments, { namespace, name: WEBHOOK_DEPLOYMENT });
  const isForeign = webhook.kind === "seen" && (settingsOf(webhook.value)["tls-cert-file"] ?? "") !== "";
  if (isForeign) return on.authority.fine("the certificates come from another issuer (--tls-cert-file)");
  const reading = await viewer.object<Secret>(RESOURCES.secrets, { namespace, name: AUTHORITY_SECRET });
  // Does not advise to ask for the permission: anyone who can read the Secret can sign for the webhook.
  if (reading.kind === "unseen") return on.authority.skip(`not checked: ${reading.why}, which holds the CA's private key`, CHECKED_WITHIN);
  if (reading.kind !== "seen") return on.authority.fail(`${named} does not exist`, "start the webhook, which creates it; see its log");
  const [authority] = certificatesOf(decoded(reading.value.data?.[AUTHORITY_KEYS.certificate]));
  if (authority === undefined) return on.authority.fail(`${named} contains no certificate`, "delete it: the webhook creates a new one");
  const end = authority.validToDate.getTime();
  if (end <= clock.now())
    return on.authority.fail(`the CA of ${named} expired on ${dayOf(end)}`, "start the webhook; see its log for why it does not renew");
  if (!certificatesOf(decoded(caBundle)).some(({ fingerprint256 }) => fingerprint256 === authority.fingerprint256)) {
    const message = `the API server does not trust the CA of ${named}: it is not in the caBundle`;
    return on.authority.fail(message, "see the webhook's log for why it does not publish it");
  }
  return on.authority.fine(`the CA of ${named} is in the caBundle, and valid until ${dayOf(end)}`);
}

/**
 * Connects to the webhook as the API server does. Outside of the cluster, the name of the Service does not resolve, so only the dry run of
 * `injection` tests the connection.
 */
async function servedText({ azure, signal }: DoctorContext, { url, service, caBundle }: ClientConfig): Promise<string | CheckResult> {
  const address = addressOf(url, service);
  if (address === undefined || caBundle === undefined) return "the served certificate is not known";
  const { reach: came } = await azure.reach({ ...address, ca: decoded(caBundle), isDirect: true }, signal);
  const { host } = address;
  if (came.kind === "reached") return `${host} serves a certificate that it signed`;
  if (came.kind !== "untrusted") return `${host} cannot be reached from here; see the check injection`;
  const message = `${host} serves a certificate of ${came.issuer === "" ? "an unnamed CA" : came.issuer} that the API server does not trust (${came.code})`;
  return on.authority.fail(message, "check that the configuration calls our webhook, and see the webhook's log for what it serves");
}

function addressOf(
  url: string | undefined,
  service: ClientConfig["service"],
): { readonly host: string; readonly port: number } | undefined {
  if (url !== undefined && URL.canParse(url)) {
    const { hostname, port } = new URL(url);
    return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: port === "" ? 443 : Number(port) };
  }
  if (service?.name === undefined || service.namespace === undefined) return undefined;
  return { host: `${service.name}.${service.namespace}.svc`, port: service.port ?? 443 };
}

const PROBE = "keyvault-injector-doctor";

/**
 * Makes the API server call the webhook, over the Service and with the caBundle: nothing else proves that it can. The dry run stores
 * nothing, and the webhook has no side effects.
 */
export const checkInjection: Check = async ({ cluster: { kube, namespace }, viewer, signal }) => {
  const { fine, fail, skip } = on.injection;
  try {
    const created = await kube.create<KubeObject>(RESOURCES.pods, probe(namespace), { fieldManager: PROBE, dryRun: true }, signal);
    const pod = readPod(created);
    const isInjected = pod.ok && pod.value.volumes.some(({ csi }) => csi?.driver === CSI_DRIVER && csi.secretProviderClass === PROBE);
    if (isInjected) return [fine(`a pod in namespace ${namespace} is injected`)];
    return [fail(`a pod in namespace ${namespace} is not injected`, `${UNREACHABLE_ADVICE}; the policy ${FINAL_CHECK} is missing as well`)];
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.refuser?.kind === "policy" && error.refuser.name === FINAL_CHECK) return [await unanswered(viewer)];
    if (error.code === "NotFound") return [skip(`not checked: namespace ${namespace} does not exist`, CHOOSE)];
    // The API server's answer does not name everything that may reject a pod, such as its pod security standard.
    const orElse = error.lacksPermission ? ", or the namespace does not admit this pod" : "";
    const why = whyNot(`create pods in ${namespace}`, error);
    return [skip(`not checked: ${why}${orElse}`, OF_NAMESPACE.includes(error.code) ? CHOOSE : AGAIN)];
  }
};

/** Finds out why the pod was not injected. The API server does not call a webhook whose configuration excludes the pod. */
async function unanswered(viewer: Viewer): Promise<CheckResult> {
  if ((await injectionModeOf(viewer)).kind === "policy")
    return on.injection.fail(`the policy ${INJECTION_POLICY} does not inject the pod`, `${APPLY}; see the check webhook`);
  const entry = await readEntry(viewer);
  const narrowings = entry.kind === "seen" ? narrowingsOf(entry.value) : [];
  if (narrowings.length === 0) return on.injection.fail("the API server gets no answer from the webhook", UNREACHABLE_ADVICE);
  const message = `the API server does not call the webhook, whose configuration has a different ${narrowings.join(", ")}`;
  return on.injection.fail(message, "see the check webhook");
}

const UNREACHABLE_ADVICE =
  "see the webhook's pods, its Service's endpoints, its caBundle, and network policies between API server and webhook";
const CHOOSE = "choose another namespace with -n";

/** Answers that another namespace may not give. */
const OF_NAMESPACE: readonly KubeErrorCode[] = ["Forbidden", "Invalid", "NotFound", "Terminating"];

/** Returns a pod that meets the strictest pod security standard, so that only the parts of the install can reject it. */
function probe(namespace: string): KubeObject & { readonly spec: object } {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: PROBE,
      namespace,
      annotations: { [POD_ANNOTATIONS.inject]: "true", [POD_ANNOTATIONS.secretProviderClass]: PROBE },
    },
    spec: {
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "probe",
          image: PROBE,
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          resources: { requests: { cpu: "1m", memory: "1Mi" }, limits: { cpu: "1m", memory: "1Mi" } },
        },
      ],
    },
  };
}
