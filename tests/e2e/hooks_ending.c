/* Threads that end inside a call: what the thread returned, and whether its cleanup handler ran. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile pid_t thread;

static void cleanup(void *how) { printf("cleanup %s\n", (const char *)how); }

static void leave(int number) {
  (void)number;
  pthread_exit((void *)7);
}

static void dial(void) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = inet_addr("203.0.113.7")};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  thread = gettid();
  connect(fd, (struct sockaddr *)&to, sizeof to);
  puts("connect returned");
}

static void *by_exit(void *how) {
  pthread_cleanup_push(cleanup, how);
  dial();
  pthread_cleanup_pop(0);
  return NULL;
}

static void *by_cancel(void *how) {
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
  return by_exit(how);
}

static void *in_system(void *how) {
  pthread_cleanup_push(cleanup, how);
  thread = gettid();
  system("exec sleep 1000");
  puts("system returned");
  pthread_cleanup_pop(0);
  return NULL;
}

/* Until the thread waits, which it does nowhere but in the call. */
static void settle(void) {
  char path[64], state = 'R';
  while (thread == 0) {
  }
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
  while (state != 'S') {
    FILE *file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%*d (%*[^)]) %c", &state) != 1) exit(1);
    fclose(file);
  }
}

static void run(char *how, void *(*body)(void *), int number) {
  pthread_t id;
  void *result;
  thread = 0;
  pthread_create(&id, NULL, body, how);
  settle();
  if (number != 0)
    pthread_kill(id, number);
  else
    pthread_cancel(id);
  pthread_join(id, &result);
  printf("%s %ld\n", how, (long)result);
}

int main(void) {
  struct sigaction action = {.sa_handler = leave};
  setvbuf(stdout, NULL, _IOLBF, 0);
  sigaction(SIGUSR1, &action, NULL);
  run("exit", by_exit, SIGUSR1);
  run("cancel", by_cancel, 0);
  run("system", in_system, 0);
  return 0;
}
