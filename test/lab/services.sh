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

run_alertmanager() {
  render alertmanager.yml "$STATE/conf/alertmanager.yml"
  launch alertmanager prometheus-alertmanager --config.file "$STATE/conf/alertmanager.yml" --storage.path "$STATE/alertmanager" \
    --web.listen-address "$ALERTS" --cluster.listen-address=
  await 30 alertmanager fetch "http://$ALERTS/-/ready"
}
up_alerts() {
  packages curl prometheus-alertmanager
  alive alertmanager || run_alertmanager
}

alert() { # END NAMESPACE POD [NAME]
  amtool alert add --alertmanager.url "http://$ALERTS" --end "$1" --annotation "summary=$3 in $2 is in trouble" \
    "alertname=${4:-PodInTrouble}" severity=warning "namespace=$2" "pod=$3"
}
