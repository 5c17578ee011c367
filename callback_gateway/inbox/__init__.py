"""Where callbacks are kept from acceptance to delivery: one contract, several stores."""
