module keyvault-injector.dev/contract/objects

go 1.26.0

require (
	github.com/Azure/secrets-store-csi-driver-provider-azure v1.8.2
	gopkg.in/yaml.v3 v3.0.1
)

require (
	github.com/go-logr/logr v1.4.3 // indirect
	k8s.io/klog/v2 v2.130.1 // indirect
)
