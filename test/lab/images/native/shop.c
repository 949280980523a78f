// Services in C, in trouble or not. Each argument is one task, and all of them run at once: app 'transfer 2' 'serve 8080'
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t accounts[8];
static int account_count;
static volatile unsigned long paid;

static void say(const char *text) {
  time_t now = time(NULL);
  char at[32];
  strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
  printf("%s %s\n", at, text);
  fflush(stdout);
}

// From each account to the next one.
static void *pay(void *argument) {
  int from = (int)(long)argument, to = (from + 1) % account_count;
  for (;;) {
    pthread_mutex_lock(&accounts[from]);
    usleep(50000);
    pthread_mutex_lock(&accounts[to]);
    paid++;
    pthread_mutex_unlock(&accounts[to]);
    pthread_mutex_unlock(&accounts[from]);
  }
}

// transfer N: N threads, N accounts.
static void transfer(int n) {
  account_count = n;
  for (int i = 0; i < n; i++) {
    pthread_t thread;
    pthread_mutex_init(&accounts[i], NULL);
    pthread_create(&thread, NULL, pay, (void *)(long)i);
    pthread_setname_np(thread, "payment");
  }
  say("INFO paying");
}

static unsigned long match_prices(unsigned long seed) {
  for (volatile unsigned long i = 1; i != 0; i++) seed ^= i;
  return seed;
}

// serve PORT [FOR]: answers on one thread; after FOR seconds it computes.
static void serve(int port, int seconds) {
  int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct timeval patience = {1, 0};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64)) exit(1);
  say("INFO listening");
  for (time_t begun = time(NULL);;) {
    if (seconds && time(NULL) - begun >= seconds) {
      say("INFO matching prices");
      match_prices(1);
    }
    int client = accept(listener, NULL, NULL);
    if (client < 0) continue;
    static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
    char request[1024];
    if (read(client, request, sizeof request) > 0) (void)!write(client, answer, sizeof answer - 1);
    close(client);
  }
}

int main(int count, char **words) {
  for (int i = 1; i < count; i++) {
    int a = 0, b = 0;
    if (sscanf(words[i], "transfer %d", &a) == 1 && a > 0 && a <= 8) transfer(a);
    else if (sscanf(words[i], "serve %d %d", &a, &b) >= 1) serve(a, b);
    else return 2;
  }
  for (unsigned long before = 0;; before = paid) {
    sleep(5);
    say(account_count && paid == before ? "WARN no payment in 5 s" : "INFO at work");
  }
}
