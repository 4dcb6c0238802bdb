import { X509Certificate } from "node:crypto";
import { AUTHORITY_KEYS, AUTHORITY_SECRET, WEBHOOK_CONFIGURATION, WEBHOOK_ENTRY } from "../../domain/certificates/names.ts";
import { type KubeObject, RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import { certificatesOf, dayOf } from "../ca-bundle.ts";
import { MORE_RESOURCES } from "../resources.ts";
import { type Check, type CheckResult, type DoctorContext, fail, fine, skipped } from "./check.ts";
import { settingsOf, type WorkloadObject } from "./settings-in-force.ts";

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
