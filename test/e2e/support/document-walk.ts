import { SHELL_IMAGE } from "./node-images.ts";

/** Placeholders of the extension's documentation, filled. */
export interface WalkValues {
  readonly vault: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** The documentation's commands that give the credentials to the cluster. */
export function credentialCommands({ clientId, clientSecret }: WalkValues): readonly (readonly string[])[] {
  const literals = ["--from-literal", `clientid=${clientId}`, "--from-literal", `clientsecret=${clientSecret}`];
  return [
    ["create", "secret", "generic", "secrets-store-creds", ...literals],
    ["label", "secret", "secrets-store-creds", "secrets-store.csi.k8s.io/used=true"],
  ];
}

/** The documentation's class, its keys and shape kept. */
export function demoClass({ vault, tenantId }: WalkValues): string {
  return `apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: akvprovider-demo
spec:
  provider: azure
  parameters:
    usePodIdentity: "false"
    keyvaultName: ${vault}
    cloudName:
    objects:  |
      array:
        - |
          objectName: DemoSecret
          objectType: secret
          objectVersion: ""
    tenantId: ${tenantId}
`;
}

/** The documentation's pod with the volume written out. */
export function inlineVolumePod(name = "busybox-secrets-store-inline"): string {
  return `kind: Pod
apiVersion: v1
metadata:
  name: ${name}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: busybox
      image: ${SHELL_IMAGE}
      command:
        - "/bin/sleep"
        - "10000"
      volumeMounts:
      - name: secrets-store-inline
        mountPath: "/mnt/secrets-store"
        readOnly: true
  volumes:
    - name: secrets-store-inline
      csi:
        driver: secrets-store.csi.k8s.io
        readOnly: true
        volumeAttributes:
          secretProviderClass: "akvprovider-demo"
        nodePublishSecretRef:
          name: secrets-store-creds
`;
}
