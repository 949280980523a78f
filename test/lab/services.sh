# shellcheck shell=bash
# The systems around the cluster: S3, bug tracker, alerts. Sourced by lab.

run_s3() {
  mkdir -p "$STATE/s3"
  ROOT_ACCESS_KEY=$S3_ACCESS ROOT_SECRET_KEY=$S3_SECRET \
    launch s3 "$CACHE/versitygw-$VERSITYGW" --port "127.0.0.1:$S3_PORT" --port "$GATEWAY:$S3_PORT" --quiet posix "$STATE/s3"
  local url=http://127.0.0.1:$S3_PORT/$BUCKET request=(--aws-sigv4 aws:amz:us-east-1:s3 --user "$S3_ACCESS:$S3_SECRET" -H "x-amz-content-sha256: UNSIGNED-PAYLOAD")
  [[ -d $STATE/s3/$BUCKET ]] || await 30 s3 fetch "${request[@]}" -X PUT "$url"
  await 30 s3 fetch "${request[@]}" --head "$url"
}
up_s3() {
  packages curl
  module versitygw github.com/versity/versitygw/cmd/versitygw "$VERSITYGW"
  alive s3 || run_s3
}

run_tracker() {
  launch tracker "${RAILS[@]}" bundle exec puma -b "tcp://127.0.0.1:$TRACKER_PORT" -b "tcp://$GATEWAY:$TRACKER_PORT"
  await 60 tracker fetch -H "X-Redmine-API-Key: $(<"$STATE/redmine/api-key")" "http://127.0.0.1:$TRACKER_PORT/users/current.json"
}
RAILS=(env -C "$REDMINE" RAILS_ENV=production RAILS_LOG_TO_STDOUT=1 SECRET_KEY_BASE=lab REDMINE_LANG=en)
up_tracker() {
  packages curl puma redmine-sqlite # a package of dependencies only
  if [[ ! -e $STATE/redmine/api-key ]]; then
    # Redmine's own package wants to configure a server; its files suffice.
    local deb=$CACHE/redmine.deb
    if [[ ! -e $deb ]]; then
      (cd "$CACHE" && retry quiet apt_get -o APT::Sandbox::User=root download redmine && mv redmine_*.deb "$deb")
    fi
    say "install what Redmine depends on"
    retry quiet apt_get satisfy -y --no-install-recommends "$(dpkg-deb -f "$deb" Depends)"
    say "set up Redmine"
    rm -rf "$STATE/redmine" && mkdir "$STATE/redmine" && dpkg-deb -x "$deb" "$STATE/redmine"
    ln -s /usr/share/{javascript,ruby-jquery-rails} "$STATE/redmine/usr/share/"
    rm "$REDMINE"/{instances,Gemfile.lock,config/database.yml}
    mkdir -p "$REDMINE"/{instances/default/{config,files,log,tmp,db},tmp,log,files,public/plugin_assets}
    echo 'gem "puma"' >"$REDMINE/Gemfile.local"
    printf 'production:\n  adapter: sqlite3\n  timeout: 5000\n  database: %s\n' "$STATE/redmine/db.sqlite3" |
      tee "$REDMINE/instances/default/config/database.yml" >"$REDMINE/config/database.yml"
    quiet "${RAILS[@]}" bundle exec rake db:migrate
    quiet "${RAILS[@]}" bundle exec rake redmine:load_default_data
    quiet "${RAILS[@]}" bundle exec rails runner "$HERE/conf/redmine.rb" "$STATE/redmine/api-key"
  fi
  alive tracker || run_tracker
}

# A pair whose gossip is cut: each of the two delivers everything, as if there were no other.
run_alertmanager() { start_alertmanager alertmanager "$ALERTS"; }
run_alertmanager-2() { start_alertmanager alertmanager-2 "$ALERTS_2"; }

start_alertmanager() { # NAME ADDRESS: with the receiver that users are shown, but for URL, token and times
  local token=$STATE/conf/$1-token text
  text=$(<"$HERE/../../infra/alertmanager/alertmanager.yml")
  printf %s "$LAB_WEBHOOK_TOKEN" >"$token"
  set_key url "$LAB_WEBHOOK_URL"
  set_key credentials_file "$token"
  set_key group_wait 1s
  set_key group_interval 5s
  echo "$text" >"$STATE/conf/$1.yml"
  launch "$1" prometheus-alertmanager --config.file "$STATE/conf/$1.yml" --storage.path "$STATE/$1" \
    --web.listen-address "$2" --web.external-url "http://$2" --cluster.listen-address=
  await 30 "$1" fetch "http://$2/-/ready"
}
set_key() { # KEY VALUE: in the YAML that is the caller's text
  [[ $text =~ ^(.*[[:space:]]$1:\ )[^$'\n']*(.*)$ ]] || die "infra/alertmanager/alertmanager.yml has no key $1"
  text=${BASH_REMATCH[1]}$2${BASH_REMATCH[2]}
}

run_discovery() { # of pods, for Prometheus
  mkdir -p "$STATE/discovery"
  launch discovery env PKI="$PKI" "$HERE/discovery" "$API" "$STATE/discovery/pods.json"
  ! alive apiserver || await 30 discovery test -e "$STATE/discovery/pods.json"
}
run_prometheus() {
  render prometheus.yml "$STATE/conf/prometheus.yml"
  launch prometheus prometheus --config.file "$STATE/conf/prometheus.yml" --storage.tsdb.path "$STATE/prometheus" --storage.tsdb.retention.time 1d \
    --web.listen-address "$PROMETHEUS" --web.external-url "http://$PROMETHEUS" --rules.alert.resend-delay 2s
  await 30 prometheus fetch "http://$PROMETHEUS/-/ready"
}
up_alerts() {
  packages curl jq openssl prometheus prometheus-alertmanager
  identities
  # What lets discovery list pods; a cluster that comes later brings it.
  ! alive apiserver || k apply -f "$HERE/manifests/users.yaml" >/dev/null
  local name
  for name in alertmanager alertmanager-2 discovery prometheus; do alive "$name" || "run_$name"; done
}

alert() { # FROM TO NAMESPACE POD [NAME]: as a Prometheus, to both, with the same times
  local address
  for address in "$ALERTS" "$ALERTS_2"; do
    amtool alert add --alertmanager.url "http://$address" --start "$1" --end "$2" --annotation "summary=$4 in $3 is in trouble" \
      "alertname=${5:-PodInTrouble}" severity=warning "namespace=$3" "pod=$4"
  done
}
