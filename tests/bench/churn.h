/*
 * churn.h: how much memory comes and goes, how many items pass a queue: the same
 * for quire and for the peer that it is measured beside (tests/peer).
 */
#pragma once

#define CHURN_ROUNDS 2000u      /* allocations of a measurement */
#define CHURN_LIVE 256u         /* random replace: blocks that exist at a time */
#define CHURN_PAGES 16u         /* random replace: pages of each */
#define CHURN_TOUCH_PAGES 2048u /* first touch, and the free of it all */

#define QUEUE_ITEMS 32768u
#define QUEUE_CAPACITY_MAX 16u
