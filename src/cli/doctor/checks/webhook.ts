import { X509Certificate } from "node:crypto";
import {
  AUTHORITY_KEYS,
  AUTHORITY_SECRET,
  PREFLIGHT_ENTRIES,
  WEBHOOK_CONFIGURATION,
  WEBHOOK_ENTRY,
} from "../../../domain/certificates/names.ts";
import { type KubeObject, RESOURCES, type Secret } from "../../../domain/kubernetes.ts";
import type { WebhookConfiguration } from "../../explain/webhook-steps.ts";
import { EXCLUDED_NAMESPACES, MORE_RESOURCES } from "../../shared/resources.ts";
import { settingsOf, type WorkloadObject } from "../../shared/settings-in-force.ts";
import type { Look } from "../../shared/viewer.ts";
import { certificatesOf, dayOf, endsOf, narrowingsOf, selectorProblem } from "../../shared/webhook-entry.ts";
import { type Check, type CheckResult, type DoctorContext, fail, fine, skipped, warn } from "./check.ts";

type Entry = NonNullable<WebhookConfiguration["webhooks"]>[number];

const APPLY = "apply the manifests again";

/** The entry for pods, of the configuration that is there. */
export async function lookAtEntry({ viewer }: Pick<DoctorContext, "viewer">): Promise<Look<Entry>> {
  const look = await viewer.object<WebhookConfiguration>(RESOURCES.mutatingWebhookConfigurations, { name: WEBHOOK_CONFIGURATION });
  if (look.kind !== "seen") return look;
  const entry = look.value.webhooks?.find(({ name }) => name === WEBHOOK_ENTRY);
  return entry === undefined ? { kind: "absent" } : { kind: "seen", value: entry };
}

export const checkWebhook: Check = async (context) => {
  const look = await lookAtEntry(context);
  if (look.kind === "unseen") return [skipped("webhook", look)];
  if (look.kind !== "seen")
    return [fail("webhook", `there is no MutatingWebhookConfiguration ${WEBHOOK_CONFIGURATION} with ${WEBHOOK_ENTRY}`, APPLY)];
  const { failurePolicy, clientConfig } = look.value;
  const results: CheckResult[] = [];
  if ((clientConfig?.caBundle ?? "") === "") {
    results.push(
      fail("webhook", "its caBundle is empty: the API server trusts no answer", "start the webhook, which publishes it; see its log"),
    );
  }
  if (failurePolicy !== "Ignore") {
    results.push(
      warn("webhook", `its failurePolicy is ${failurePolicy ?? "unset"}`, `set it to Ignore (${APPLY}): else an outage stops every pod`),
    );
  }
  const narrowings = narrowingsOf(look.value);
  if (narrowings.length > 0)
    results.push(
      warn(
        "webhook",
        `its ${narrowings.join(", ")} may keep opted-in pods from it`,
        "take that out of the configuration, unless it is meant",
      ),
    );
  return results.length > 0 ? results : [fine("webhook", `${WEBHOOK_ENTRY} is configured`)];
};

/** It only warns: an install without it is whole. */
export const checkPreflight: Check = async ({ viewer }) => {
  const look = await viewer.object<WebhookConfiguration>(RESOURCES.validatingWebhookConfigurations, { name: WEBHOOK_CONFIGURATION });
  if (look.kind === "unseen") return [skipped("preflight", look)];
  const entries = look.kind === "seen" ? (look.value.webhooks ?? []) : [];
  const missing = PREFLIGHT_ENTRIES.filter((name) => !entries.some((entry) => entry.name === name));
  if (missing.length > 0)
    return [warn("preflight", `not configured: ${missing.join(", ")}`, `${APPLY}, if kubectl apply is to show warnings`)];
  const untrusted = entries.filter(({ clientConfig }) => (clientConfig?.caBundle ?? "") === "").map(({ name }) => name);
  if (untrusted.length > 0) return [warn("preflight", `no caBundle: ${untrusted.join(", ")}`, "see the webhook's log")];
  return [fine("preflight", `${PREFLIGHT_ENTRIES.length} of ${PREFLIGHT_ENTRIES.length} are configured`)];
};

const DAY = 86_400_000;

/** A CA is renewed eight months into its year: one with less than this left is not being renewed. */
const LEAST_LEFT = 30 * DAY;

export const checkCertificates: Check = async (context) => {
  const look = await lookAtEntry(context);
  if (look.kind === "unseen") return [skipped("certificates", look)];
  const ends = endsOf(look.kind === "seen" ? look.value.clientConfig?.caBundle : undefined);
  if (ends.length === 0)
    return [fail("certificates", "the API server has no certificate to trust the webhook by", "start the webhook; see its log")];
  const last = Math.max(...ends);
  const left = last - context.clock.now();
  const until = dayOf(last);
  if (left <= 0)
    return [
      fail("certificates", `the newest of ${ends.length} expired on ${until}`, "start the webhook; see its log for why it does not renew"),
    ];
  if (left < LEAST_LEFT)
    return [warn("certificates", `the newest of ${ends.length} ends on ${until}`, "see the webhook's log for why it does not renew")];
  return [fine("certificates", `${ends.length} trusted, the newest until ${until}`)];
};

export const checkNamespaces: Check = async (context) => {
  const look = await lookAtEntry(context);
  if (look.kind !== "seen") return [skipped("namespaces", look, "webhook")];
  const namespaces = await context.viewer.all<KubeObject>(RESOURCES.namespaces);
  if (namespaces.kind !== "seen") return [skipped("namespaces", namespaces)];
  const excluded = namespaces.value
    .filter(({ metadata }) => selectorProblem(look.value.namespaceSelector, metadata.labels ?? {}) !== undefined)
    .map(({ metadata }) => metadata.name);
  const meant = [...EXCLUDED_NAMESPACES, context.namespace];
  const missing = meant.filter((name) => !excluded.includes(name) && namespaces.value.some(({ metadata }) => metadata.name === name));
  const others = excluded.filter((name) => !meant.includes(name));
  const count = `${namespaces.value.length - excluded.length} of ${namespaces.value.length} namespaces are served`;
  if (missing.length > 0) {
    return [fail("namespaces", `${missing.join(", ")} is not left out: pods that the webhook needs would need the webhook`, APPLY)];
  }
  if (others.length === 0) return [fine("namespaces", `${count}; left out: ${excluded.join(", ")}`)];
  return [
    warn(
      "namespaces",
      `${count}; left out besides our own: ${others.join(", ")}`,
      "see the namespaceSelector of the configuration, if that is not meant",
    ),
  ];
};

interface ClientConfig {
  readonly caBundle?: string;
  readonly url?: string;
  readonly service?: { readonly name?: string; readonly namespace?: string; readonly port?: number };
}

interface Configuration extends KubeObject {
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig?: ClientConfig }[];
}

/** Whether what signs, what is trusted and what is served are of one chain. */
export const checkAuthority: Check = async (context) => {
  const look = await context.viewer.object<Configuration>(RESOURCES.mutatingWebhookConfigurations, { name: WEBHOOK_CONFIGURATION });
  if (look.kind === "unseen") return [skipped("authority", look)];
  const entry = look.kind === "seen" ? look.value.webhooks?.find(({ name }) => name === WEBHOOK_ENTRY) : undefined;
  const clientConfig = entry?.clientConfig ?? {};
  const served = await servedProblem(context, clientConfig);
  if (served.problem !== undefined) return [served.problem];
  const signing = await signingResult(context, clientConfig);
  return [signing.state === "OK" ? fine("authority", `${signing.message}; ${served.text}`) : signing];
};

/** The CA Secret against the bundle. Of the Secret the certificate alone is looked at. */
async function signingResult(context: DoctorContext, { caBundle }: ClientConfig): Promise<CheckResult> {
  const { viewer, namespace, clock } = context;
  const named = `Secret ${namespace}/${AUTHORITY_SECRET}`;
  const webhook = await viewer.object<WorkloadObject>(MORE_RESOURCES.deployments, { namespace, name: "keyvault-injector-webhook" });
  const isForeign = webhook.kind === "seen" && (settingsOf(webhook.value)["tls-cert-file"] ?? "") !== "";
  if (isForeign) return fine("authority", "the certificates are somebody else's (--tls-cert-file)");
  const look = await viewer.object<Secret>(RESOURCES.secrets, { namespace, name: AUTHORITY_SECRET });
  if (look.kind === "unseen") return skipped("authority", look);
  if (look.kind !== "seen") return fail("authority", `there is no ${named}`, "start the webhook, which makes it; see its log");
  const pem = Buffer.from(look.value.data?.[AUTHORITY_KEYS.certificate] ?? "", "base64").toString("utf8");
  const [authority] = certificatesOf(pem);
  if (authority === undefined) return fail("authority", `${named} holds no certificate`, "delete it: the webhook makes a new one");
  const end = authority.validToDate.getTime();
  if (end <= clock.now())
    return fail("authority", `the CA of ${named} expired on ${dayOf(end)}`, "start the webhook; see its log for why it does not renew");
  const trusted = certificatesOf(Buffer.from(caBundle ?? "", "base64").toString("utf8"));
  if (!trusted.some((certificate) => isSame(certificate, authority))) {
    return fail(
      "authority",
      `the API server does not trust the CA of ${named}: it is not in the caBundle`,
      "see the webhook's log for why it does not publish it",
    );
  }
  return fine("authority", `the CA of ${named} is in the caBundle, and valid until ${dayOf(end)}`);
}

const isSame = (a: X509Certificate, b: X509Certificate): boolean => a.fingerprint256 === b.fingerprint256;

interface Served {
  readonly text: string;
  readonly problem?: CheckResult;
}

/** As the API server would call the webhook. Outside of the cluster the Service has no name: then the dry run of `injection` has to do. */
async function servedProblem({ reach, signal }: DoctorContext, { url, service, caBundle }: ClientConfig): Promise<Served> {
  const address = addressOf(url, service);
  if (address === undefined || caBundle === undefined) return { text: "what is served is not known" };
  const ca = Buffer.from(caBundle, "base64").toString("utf8");
  const { reach: came } = await reach({ ...address, ca, isDirect: true }, signal);
  const { host } = address;
  if (came.kind === "reached") return { text: `${host} serves a certificate that it signed` };
  if (came.kind !== "untrusted") return { text: `${host} is not reached from here, see the check injection` };
  const message = `${host} serves a certificate of ${came.issuer === "" ? "an unnamed CA" : came.issuer} that the API server does not trust (${came.code})`;
  return {
    text: "",
    problem: fail("authority", message, "see that the configuration calls our webhook, and the webhook's log for what it serves"),
  };
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
