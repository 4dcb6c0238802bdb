import { documentVolume, OPTED_IN } from "../support/fixtures/pods.ts";

type Json = Readonly<Record<string, unknown>>;

/** Annotations of a pod, without their prefix. */
export type Annotations = Readonly<Record<string, string>>;

/** The document's class, which the pods mount. */
export const CLASS = "akvprovider-demo";

export const withOptIn = (more: Annotations): Annotations => ({ ...OPTED_IN, ...more });

const mountedAt = (mountPath: string): Json => ({
  containers: [{ name: "app", image: "app:1", volumeMounts: [{ name: "data", mountPath }] }],
  volumes: [{ name: "data", emptyDir: {} }],
});

/** A mistake, the expected text in the message, and the pod after a reader followed the advice. */
export interface Mistake {
  readonly title: string;
  readonly annotations: Annotations;
  readonly spec?: Json;
  readonly message: RegExp;
  readonly corrected: Annotations;
}

const seventeen = Array.from({ length: 17 }, (_, index) => `class-${index}`);
export const MISTAKES: readonly Mistake[] = [
  mistake("inject", "yes", /: write "true" or "false"$/, "true"),
  mistake("inject", "True", /: write "true" or "false"$/, "true"),
  mistake("inject", "", /: write "true" or "false"$/, "false"),
  {
    title: "no secret-provider-class",
    annotations: { inject: "true" },
    message: /annotation keyvault-injector\.dev\/secret-provider-class is missing: write the name of a SecretProviderClass/,
    corrected: OPTED_IN,
  },
  mistake(
    "secret-provider-class",
    `${CLASS},,other`,
    /: write the name of a SecretProviderClass .*, or a comma-separated list of names$/,
    CLASS,
  ),
  mistake("secret-provider-class", `${CLASS},${CLASS}`, /: it lists "akvprovider-demo" twice; write it once$/, CLASS),
  mistake("secret-provider-class", "Akv_Demo", /: "Akv_Demo" is not a valid object name; write the name/, CLASS),
  mistake("secret-provider-class", seventeen.join(","), /: a pod can mount at most 16 classes$/, seventeen.slice(1).join(",")),
  mistake("credentials-secret", "My Secret", /: write the name of a Secret in the pod's namespace, or "none"$/, "none"),
  mistake("credentials-secret", "other=mine", /: "other" is not a class of this pod; write one of akvprovider-demo$/, `${CLASS}=mine`),
  mistake("credentials-secret", `${CLASS}=`, /: for class "akvprovider-demo", write the name of a Secret/, `${CLASS}=mine`),
  mistake("mount-path", "mnt/secrets", /: write an absolute path such as "\/mnt\/secrets-store"$/, "/mnt/secrets"),
  mistake("mount-path", "/", /: a mount at the root would hide the container's own files; write an absolute path/, "/mnt/x"),
  mistake("mount-path", "/mnt/../etc", /: a mount path cannot contain "\.\."; write an absolute path/, "/etc/x"),
  mistake("mount-path", "/mnt:ro", /: a mount path cannot contain ":" or control characters; write an absolute path/, "/mnt"),
  mistake("mount-path", `${CLASS}=secrets`, /: for class "akvprovider-demo", write an absolute path/, `${CLASS}=/secrets`),
  mistake("volume-name", "my.volume", /: write a DNS label: at most 63 of a-z, 0-9 and "-"/, "my-volume"),
  mistake("volume-name", "v".repeat(64), /: write a DNS label: at most 63 of a-z, 0-9 and "-"/, "v".repeat(63)),
  mistake(
    "containers",
    "ap",
    / names container "ap", but the pod has app: write one of these; a container that another webhook adds later can only be excluded, as "-name"$/,
    "app",
  ),
  mistake("containers", "app,", /: write container names separated by commas, or "-name" to exclude one$/, "app"),
  mistake("containers", "app,-app", /: it both includes and excludes "app"; write one of the two$/, "app"),
  mistake("containers", "-app", /: it leaves no container to mount into; name at least one$/, "app"),
  {
    title: "a volume name that the pod has for something else",
    annotations: withOptIn({ "volume-name": "data" }),
    spec: mountedAt("/data"),
    message:
      /volume name "data" for class "akvprovider-demo" is already used by another emptyDir .*: set annotation .*\/volume-name to a free/,
    corrected: withOptIn({ "volume-name": "free" }),
  },
  {
    title: "a path where a container has something else",
    annotations: OPTED_IN,
    spec: mountedAt("/mnt/secrets-store"),
    message: /container "app" already has volume "data" at "\/mnt\/secrets-store", .*: set annotation .*\/mount-path to a free path/,
    corrected: withOptIn({ "mount-path": "/free" }),
  },
  {
    title: "a volume of the pod's own with other credentials",
    annotations: withOptIn({ "credentials-secret": "mine" }),
    spec: { volumes: [documentVolume()] },
    message:
      /has nodePublishSecretRef "secrets-store-creds" \(expected: "mine"\): set annotation .*\/credentials-secret to "secrets-store-creds"/,
    corrected: withOptIn({ "credentials-secret": "secrets-store-creds" }),
  },
];

function mistake(annotation: string, value: string, advice: RegExp, corrected: string): Mistake {
  const key = `annotation keyvault-injector\\.dev/${annotation}`;
  const shown = JSON.stringify(value).slice(1, 50);
  const escaped = shown.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const subject = advice.source.startsWith(" names") ? key : `${key} is "${escaped}.*`;
  return {
    title: `${annotation} ${JSON.stringify(value.slice(0, 40))}`,
    annotations: withOptIn({ [annotation]: value }),
    message: new RegExp(`${subject}${advice.source}`, "m"),
    corrected: withOptIn({ [annotation]: corrected }),
  };
}
