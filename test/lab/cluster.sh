# shellcheck shell=bash
# The cluster: one node, every component a process of its own. Sourced by lab.
# Each run_NAME starts one component and returns when it answers.

kube() { # the Kubernetes programs: one binary under many names
  local version binary name
  version=$(awk '$1 == "k8s.io/kubernetes" {print $2}' "$HERE/kube/go.mod")
  binary=$CACHE/kube-$(cat "$HERE"/kube/{*.go,go.mod,go.sum} | sha256sum | cut -c1-12)
  if [[ ! -x $binary ]]; then
    need_go
    say "build Kubernetes $version (minutes when Go's cache is cold)"
    retry quiet go -C "$HERE/kube" mod download
    CGO_ENABLED=0 quiet go build -C "$HERE/kube" -buildvcs=false -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version" -o "$binary.new" .
    mv "$binary.new" "$binary"
  fi
  for name in etcd coredns kubectl kubelet kube-{apiserver,controller-manager,scheduler,proxy} sweep; do
    ln -sfn "$binary" "$STATE/bin/$name"
  done
}

images() { # the lab's own, as archives in the cache, imported unless the node has them
  local name sum archive context=$STATE/context
  for name in pause apples flood tools; do
    sum=$(cat "$HERE/images/$name"/* | sha256sum | cut -c1-12)
    [[ $(cat "$STATE/images/$name" 2>/dev/null) != "$sum" ]] || continue
    archive=$CACHE/image-$name-$sum.tar
    if [[ ! -e $archive ]]; then
      rm -rf "$context" && cp -r "$HERE/images/$name" "$context"
      if [[ -e $context/main.go ]]; then
        need_go
        CGO_ENABLED=0 quiet go build -ldflags '-s -w' -o "$context/$name" "$context/main.go"
      fi
      build "$context" "localhost/$name:1" "$archive"
      rm -r "$context"
    fi
    import "$archive"
    echo "$sum" >"$STATE/images/$name"
  done
}

cert() { # NAME SUBJECT [EXTENSION...]: a certificate and a key, signed by the lab's own authority
  local name=$1 subject=$2 extension options=()
  shift 2
  [[ ! -e $PKI/$name.crt ]] || return 0
  for extension; do options+=(-addext "$extension"); done
  [[ $name == ca ]] || options+=(-addext "basicConstraints=critical,CA:false" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key")
  quiet openssl req -x509 -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n') -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
    -nodes -days 3650 -subj "$subject" "${options[@]}" -keyout "$PKI/$name.key" -out "$PKI/$name.crt.new"
  mv "$PKI/$name.crt.new" "$PKI/$name.crt"
}

kubeconfig() { # NAME [TOKEN]: for the holder of a token, or else of the certificate NAME
  local user="token: ${2:-}" file=$STATE/kubeconfig/$1
  [[ -n ${2:-} ]] || user="client-certificate-data: $(base64 -w0 "$PKI/$1.crt"), client-key-data: $(base64 -w0 "$PKI/$1.key")"
  cat >"$file.new" <<END
apiVersion: v1
kind: Config
clusters: [{name: lab, cluster: {server: "$API", certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")}}]
users: [{name: $1, user: {$user}}]
contexts: [{name: lab, context: {cluster: lab, user: $1}}]
current-context: lab
END
  mv "$file.new" "$file"
}

identities() {
  local name
  cert ca /CN=lab basicConstraints=critical,CA:true keyUsage=critical,keyCertSign,cRLSign
  cert apiserver /CN=kube-apiserver "subjectAltName=IP:127.0.0.1,IP:$GATEWAY,IP:${SERVICES%.*}.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  cert kubelet "/O=system:nodes/CN=system:node:$NODE" "subjectAltName=IP:127.0.0.1,IP:$GATEWAY,DNS:$NODE"
  for name in kube-controller-manager kube-scheduler kube-proxy coredns prometheus; do cert "$name" "/CN=system:$name"; done
  cert front-proxy /CN=front-proxy
  for name in admin apiserver-kubelet metrics; do cert "$name" "/O=system:masters/CN=$name"; done
  [[ -e $PKI/accounts.key ]] || quiet openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/accounts.key"
  for name in admin metrics kubelet kube-controller-manager kube-scheduler kube-proxy coredns; do kubeconfig "$name"; done
  for name in ops guest; do kubeconfig "$name" "lab-$name-token"; done
  printf 'lab-%s-token,%s,%s,%s\n' ops ops 1 ops guest guest 2 guest >"$PKI/tokens.csv"
}

bridge() {
  # A fixed hardware address: by itself it would change as pods come and go, and cut them off.
  ip link show "$BRIDGE" >/dev/null 2>&1 || ip link add "$BRIDGE" address 0a:58:0a:58:00:01 type bridge
  ip address replace "$GATEWAY/${PODS#*/}" dev "$BRIDGE"
  ip link set "$BRIDGE" up
  ip route replace "$SERVICES" dev "$BRIDGE" # so that the host reaches services without a default route
  sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
}

k() { "$STATE/bin/kubectl" --kubeconfig "$STATE/kubeconfig/admin" "$@"; }

run_etcd() {
  launch etcd "$STATE/bin/etcd" --data-dir "$STATE/etcd" --unsafe-no-fsync \
    --listen-client-urls "http://$ETCD" --advertise-client-urls "http://$ETCD" \
    --listen-peer-urls http://127.0.0.1:12380 --initial-advertise-peer-urls http://127.0.0.1:12380 --initial-cluster default=http://127.0.0.1:12380
  await 30 etcd fetch "http://$ETCD/health"
}
run_apiserver() {
  launch apiserver "$STATE/bin/kube-apiserver" --etcd-servers "http://$ETCD" --bind-address 127.0.0.1 --advertise-address "$GATEWAY" \
    --tls-cert-file "$PKI/apiserver.crt" --tls-private-key-file "$PKI/apiserver.key" --client-ca-file "$PKI/ca.crt" \
    --token-auth-file "$PKI/tokens.csv" --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
    --service-account-issuer https://kubernetes.default.svc.cluster.local \
    --service-account-signing-key-file "$PKI/accounts.key" --service-account-key-file "$PKI/accounts.key" \
    --enable-aggregator-routing --proxy-client-cert-file "$PKI/front-proxy.crt" --proxy-client-key-file "$PKI/front-proxy.key" \
    --requestheader-client-ca-file "$PKI/ca.crt" --requestheader-allowed-names front-proxy --requestheader-username-headers X-Remote-User \
    --requestheader-group-headers X-Remote-Group --requestheader-extra-headers-prefix X-Remote-Extra- \
    --kubelet-client-certificate "$PKI/apiserver-kubelet.crt" --kubelet-client-key "$PKI/apiserver-kubelet.key" \
    --kubelet-certificate-authority "$PKI/ca.crt" --kubelet-preferred-address-types InternalIP \
    --service-cluster-ip-range "$SERVICES" --allow-privileged --shutdown-delay-duration 0s \
    --audit-policy-file "$HERE/conf/audit.yaml" --audit-log-path "$STATE/log/audit.log" --audit-log-maxsize 100 --audit-log-maxbackup 2
  await 60 apiserver k get --raw /readyz
}
run_door() { # through which pods reach the API, which listens on loopback alone
  launch door socat "TCP-LISTEN:$API_PORT,bind=$GATEWAY,fork,reuseaddr,backlog=128" "TCP:127.0.0.1:$API_PORT"
  await 10 door fetch -k "https://$GATEWAY:$API_PORT/livez"
}
run_controllers() {
  launch controllers "$STATE/bin/kube-controller-manager" --kubeconfig "$STATE/kubeconfig/kube-controller-manager" \
    --bind-address 127.0.0.1 --leader-elect=false --use-service-account-credentials --root-ca-file "$PKI/ca.crt" --service-account-private-key-file "$PKI/accounts.key"
  await 30 controllers fetch -k https://127.0.0.1:10257/healthz
}
run_scheduler() {
  launch scheduler "$STATE/bin/kube-scheduler" --kubeconfig "$STATE/kubeconfig/kube-scheduler" --bind-address 127.0.0.1 --leader-elect=false
  await 30 scheduler fetch -k https://127.0.0.1:10259/healthz
}
run_dns() {
  render Corefile "$STATE/conf/Corefile"
  k apply -f "$HERE/manifests/users.yaml" >/dev/null # lets it read what it answers from
  launch dns "$STATE/bin/coredns" -conf "$STATE/conf/Corefile"
  await 30 dns fetch http://127.0.0.1:18181/ready
}
run_proxy() {
  launch proxy "$STATE/bin/kube-proxy" --kubeconfig "$STATE/kubeconfig/kube-proxy" --hostname-override "$NODE" --proxy-mode iptables \
    --cluster-cidr "$PODS" --nodeport-addresses "$PODS" --metrics-bind-address 127.0.0.1:10249 --healthz-bind-address 127.0.0.1:10256 \
    --conntrack-max-per-core 0 --conntrack-tcp-timeout-established 0s --conntrack-tcp-timeout-close-wait 0s --oom-score-adj 0
  await 30 proxy fetch http://127.0.0.1:10256/healthz
}
run_containerd() {
  render containerd.toml "$STATE/conf/containerd.toml"
  render lab.conflist "$STATE/cni/lab.conflist"
  launch containerd containerd --config "$STATE/conf/containerd.toml"
  # Its socket answers before it knows its containers again, and a kubelet that meets it so ends.
  await 60 containerd cri_answers
}
cri_answers() { # an empty VersionRequest of the CRI, by hand: Debian has no client
  printf '\0\0\0\0\0' | curl -sS --max-time 5 --http2-prior-knowledge --unix-socket "$STATE/containerd.sock" --data-binary @- -o /dev/null -D - \
    -H 'Content-Type: application/grpc' -H 'TE: trailers' http://cri/runtime.v1.RuntimeService/Version | grep '^grpc-status: 0'
}
run_kubelet() {
  render kubelet.yaml "$STATE/conf/kubelet.yaml"
  cp "$HERE"/manifests/static/*.yaml "$STATE/static/"
  launch kubelet "$STATE/bin/kubelet" --config "$STATE/conf/kubelet.yaml" --kubeconfig "$STATE/kubeconfig/kubelet" \
    --root-dir "$STATE/kubelet" --hostname-override "$NODE" --node-ip "$GATEWAY"
  await 60 kubelet fetch http://127.0.0.1:10248/healthz
  await 60 kubelet k wait --for=condition=Ready "node/$NODE" --timeout=5s
}

run_metrics() { # metrics.k8s.io: what pods use of memory and CPU, at most 10 s old
  local config=$STATE/kubeconfig/metrics
  launch metrics "$CACHE/metrics-server-$METRICS" --kubeconfig "$config" --authentication-kubeconfig "$config" --authorization-kubeconfig "$config" \
    --bind-address "$GATEWAY" --secure-port 10350 --cert-dir "$STATE/metrics" --metric-resolution 10s --kubelet-request-timeout 5s \
    --kubelet-preferred-address-types InternalIP --kubelet-certificate-authority "$PKI/ca.crt"
  await 60 metrics k get --raw /apis/metrics.k8s.io/v1beta1/nodes
}

up_cluster() {
  packages buildah conntrack containerd containernetworking-plugins curl golang-github-containers-common iproute2 iptables jq mmdebstrap openssl procps runc socat
  kube
  identities
  module metrics-server sigs.k8s.io/metrics-server/cmd/metrics-server "$METRICS"
  local name
  for name in "${CLUSTER[@]}"; do
    # The kubelet has no registry to fetch an image from.
    [[ $name != kubelet ]] || images
    [[ $name != metrics ]] || k apply -f "$HERE/manifests/metrics.yaml" >/dev/null
    alive "$name" || "run_$name"
  done
  say "apply the seed scenario"
  await 60 controllers k apply -f "$HERE/manifests"
  await 90 kubelet k -n fruit rollout status deployment/apples deployment/bananas --timeout=5s
}
